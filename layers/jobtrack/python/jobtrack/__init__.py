"""What every function shares: the domain, its storage, and the edge to HTTP."""

from jobtrack import log_filter

log_filter.set_levels()
