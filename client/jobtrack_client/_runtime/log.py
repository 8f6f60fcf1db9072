"""The logger `jobtrack_client`, for warnings to the program's operator."""

import logging
from contextlib import suppress
from time import monotonic
from typing import Any

EVERY = 30.0
"""The seconds between two warnings of one kind."""


class _Logger(logging.LoggerAdapter[logging.Logger]):
    """A logger that never raises, whatever the program's handlers and filters do."""

    def log(self, level: int, msg: object, *args: object, **kwargs: Any) -> None:
        """Log a message."""
        with suppress(Exception):
            super().log(level, msg, *args, **kwargs)


LOGGER = _Logger(logging.getLogger("jobtrack_client"))
_SILENT_UNTIL: dict[str, float] = {}
_WARNED: set[str] = set()


def warn_seldom(message: str, *arguments: object) -> None:
    """Log the exception that is being handled, at most once in EVERY seconds for each message."""
    now = monotonic()
    if now >= _SILENT_UNTIL.get(message, 0.0):
        _SILENT_UNTIL[message] = now + EVERY
        LOGGER.warning(message, *arguments, exc_info=True)


def warn_once(name: str, message: str) -> None:
    """Log a warning once for each name, because a program may report the same value repeatedly."""
    if name not in _WARNED:
        _WARNED.add(name)
        LOGGER.warning(message)
