"""Limits how often a lasting failure is logged: at once, then once a minute with the number of omitted lines."""

import logging
import threading
import time
from collections.abc import Callable

SECONDS = 60.0


class _RateLimit:
    """Admits one line in a period. Threads may share it."""

    def __init__(self, seconds: float, clock: Callable[[], float]) -> None:
        self._seconds = seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._next = -float("inf")
        self._omitted = 0

    def suffix(self) -> str | None:
        """Return what to append to a line: how many lines were omitted before it. None omits this line too."""
        with self._lock:
            now = self._clock()
            if now < self._next:
                self._omitted += 1
                return None
            omitted, self._omitted, self._next = self._omitted, 0, now + self._seconds
        return f" ({omitted} more since the last line)" if omitted else ""


class RateLimitedLog:
    """The warnings of one source. Threads may share it."""

    def __init__(
        self, log: logging.Logger, seconds: float = SECONDS, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._log = log
        self._limit = _RateLimit(seconds, clock)

    def warning(self, message: str, *values: object) -> None:
        """Log the message, unless one was logged within the last minute."""
        suffix = self._limit.suffix()
        if suffix is not None:
            self._log.warning(message + suffix, *values)


class RateLimitFilter(logging.Filter):
    """Limits the warnings of a logger that other code uses. Errors are not limited."""

    def __init__(self, seconds: float = SECONDS, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._limit = _RateLimit(seconds, clock)

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether to log the record."""
        if record.levelno != logging.WARNING:
            return True
        suffix = self._limit.suffix()
        record.msg = f"{record.msg}{suffix}"
        return suffix is not None
