"""Keeps log lines about the client's own requests out of the program's log.

A job sends about one request a second, and httpx logs a line at INFO for each.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_OURS: ContextVar[bool] = ContextVar("jobtrack_request", default=False)
# A filter sees only the records of its own logger, so it is added to each logger by name.
_LOGGERS = ("httpx", *(f"httpcore.{name}" for name in ("connection", "http11", "http2", "proxy", "socks")))


@contextmanager
def quiet(ours: bool = True) -> Iterator[None]:
    """Drop the log records of the HTTP library in this block. A nested block with `ours=False` keeps them."""
    token = _OURS.set(ours)
    try:
        yield
    finally:
        _OURS.reset(token)


def _is_theirs(record: logging.LogRecord) -> bool:
    return not _OURS.get()


# A filter of the logger comes before all handlers, and stays whatever the program configures later.
for _name in _LOGGERS:
    logging.getLogger(_name).addFilter(_is_theirs)
