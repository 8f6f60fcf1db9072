"""The logger `jobtrack_client`, which warns whoever runs the program."""

import logging
from contextlib import suppress
from time import monotonic
from typing import Any

EVERY = 30.0
"""Seconds between warnings of one kind."""


class _Logger(logging.LoggerAdapter[logging.Logger]):
    """Never raises, whatever handlers and filters the program has: where nothing can be said, reporting goes on."""

    def log(self, level: int, msg: object, *args: object, **kwargs: Any) -> None:
        """Log it."""
        with suppress(Exception):
            super().log(level, msg, *args, **kwargs)


LOGGER = _Logger(logging.getLogger("jobtrack_client"))
_SILENT_UNTIL: dict[str, float] = {}
_WARNED: set[str] = set()


def warn_seldom(message: str, *arguments: object) -> None:
    """Log an exception that is being handled, at most once in EVERY seconds for each message."""
    now = monotonic()
    if now >= _SILENT_UNTIL.get(message, 0.0):
        _SILENT_UNTIL[message] = now + EVERY
        LOGGER.warning(message, *arguments, exc_info=True)


def warn_once(name: str, message: str) -> None:
    """Log a warning once for each name: a program may report the same member again and again."""
    if name not in _WARNED:
        _WARNED.add(name)
        LOGGER.warning(message)
