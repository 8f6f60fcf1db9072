"""Stops the thread of a poller, or wakes it when there may be records."""

import logging
import threading
from collections.abc import Callable

from jobtrack_local.rate_limited_log import RateLimitedLog

log = logging.getLogger(__name__)

RETRY_SECONDS = 1.0
LONGEST_WAIT_SECONDS = 60.0
"""Waits use a clock that stops while the machine sleeps (CLOCK_MONOTONIC in clock_gettime(2)); due times do not."""


class Stopped(Exception):
    """The service is stopping. Records that were not handled are still in the outbox or in the queue."""


class PollerControl:
    """The stop signal and the wake-up signal of one thread."""

    def __init__(self) -> None:
        self._stopping = threading.Event()
        self._woken = threading.Event()
        self._failures = RateLimitedLog(log)

    @property
    def stopping(self) -> bool:
        """Whether `stop` was called."""
        return self._stopping.is_set()

    def stop(self) -> None:
        """End the current pause and all later ones at once."""
        self._stopping.set()
        self._woken.set()

    def wake(self) -> None:
        """End the current `wait_for_wake`."""
        self._woken.set()

    def pause(self, seconds: float) -> None:
        """Wait for this time.

        Raises:
            Stopped: `stop` was called.
        """
        if self._stopping.wait(seconds):
            raise Stopped

    def wait_for_wake(self, seconds: float | None) -> None:
        """Wait for `wake`, but at most for this time; None means without limit. A wake before the call counts.

        Raises:
            Stopped: `stop` was called.
        """
        self._woken.wait(None if seconds is None else min(seconds, LONGEST_WAIT_SECONDS))
        self._woken.clear()
        if self._stopping.is_set():
            raise Stopped

    def attempt(self, action: Callable[[], None]) -> bool:
        """Call the action and return whether it succeeded. After a failure, log it at most once a minute, and pause.

        No failure ends the thread: the process may be out of file descriptors or threads, or the engine may be down,
        but such problems can pass.
        """
        try:
            action()
        except Stopped:
            return False
        except Exception as error:
            if not self.stopping:
                self._failures.warning("polling failed (%s) and is retried: %s", type(error).__name__, error)
                self._stopping.wait(RETRY_SECONDS)
            return False
        return True
