"""What every function shares: the domain, its storage, and the edge to HTTP."""

from jobtrack import logs

logs.set_levels()
