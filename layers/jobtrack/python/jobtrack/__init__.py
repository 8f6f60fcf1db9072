"""What every function shares: the domain, its storage, and the edge to HTTP."""
