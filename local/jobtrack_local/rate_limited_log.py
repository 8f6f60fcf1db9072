"""Limits how often a lasting failure is logged: at once, then once a minute with the number of omitted lines."""

import logging
import threading
import time
from collections.abc import Callable

SECONDS = 60.0


class RateLimitedLog:
    """The warnings of one source. Threads may share it."""

    def __init__(
        self, log: logging.Logger, seconds: float = SECONDS, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._log = log
        self._seconds = seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._next = -float("inf")
        self._omitted = 0

    def warning(self, message: str, *values: object) -> None:
        """Log the message, unless one was logged within the last minute."""
        with self._lock:
            now = self._clock()
            if now < self._next:
                self._omitted += 1
                return
            omitted, self._omitted, self._next = self._omitted, 0, now + self._seconds
        suffix = f" ({omitted} more since the last line)" if omitted else ""
        self._log.warning(message + suffix, *values)
