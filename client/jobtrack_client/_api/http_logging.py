"""Keeps what the HTTP library logs of the client's own requests out of the program's log.

A job sends a request every second or so. At INFO, httpx logs a line for each.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_OURS: ContextVar[bool] = ContextVar("jobtrack_request", default=False)
# A filter of a logger sees only what is logged to that very logger, so each is named.
_LOGGERS = ("httpx", *(f"httpcore.{name}" for name in ("connection", "http11", "http2", "proxy", "socks")))


@contextmanager
def quiet(ours: bool = True) -> Iterator[None]:
    """What the HTTP library logs within is not logged; with `ours=False`, within such a block, it is."""
    token = _OURS.set(ours)
    try:
        yield
    finally:
        _OURS.reset(token)


def _is_theirs(record: logging.LogRecord) -> bool:
    return not _OURS.get()


# Of the logger, since it comes before all handlers, and stays whatever is configured later.
for _name in _LOGGERS:
    logging.getLogger(_name).addFilter(_is_theirs)
