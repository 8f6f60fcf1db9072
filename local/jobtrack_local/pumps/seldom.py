"""Log lines about a trouble that goes on: the first at once, then one a minute that says how often it came."""

import logging
import threading
import time
from collections.abc import Callable

SECONDS = 60.0


class Seldom:
    """One source of warnings; may be used by several threads."""

    def __init__(
        self, log: logging.Logger, seconds: float = SECONDS, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._log = log
        self._seconds = seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._next = -float("inf")
        self._kept_back = 0

    def warning(self, message: str, *values: object) -> None:
        """Log it unless something was logged within the last minute."""
        with self._lock:
            now = self._clock()
            if now < self._next:
                self._kept_back += 1
                return
            kept_back, self._kept_back, self._next = self._kept_back, 0, now + self._seconds
        more = f" ({kept_back} more since the last line)" if kept_back else ""
        self._log.warning(message + more, *values)
