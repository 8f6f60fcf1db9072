"""The code that all functions share: the domain, its storage, and the HTTP edge."""

from jobtrack import log_filter

log_filter.set_levels()
