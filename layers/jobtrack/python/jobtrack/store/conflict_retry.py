"""Trying again when another writer was first."""

import random
import time
from collections.abc import Callable, Iterator
from typing import TypeVar

from jobtrack import limits
from jobtrack.classes import frozen
from jobtrack.errors import JobBusy, Unavailable
from jobtrack.store.transactions import Cancelled

# Not the module's own generator: functions restored from one snapshot would all draw the same from it.
_uniform = random.SystemRandom().uniform

_FIRST_PAUSE = 0.01
_LONGEST_PAUSE = 0.2

_Answer = TypeVar("_Answer")


def pauses(uniform: Callable[[float, float], float] = _uniform) -> Iterator[float]:
    """Seconds to wait after each failure, without end: they grow, and are jittered."""
    longest = _FIRST_PAUSE
    while True:
        yield uniform(0, longest)
        longest = min(2 * longest, _LONGEST_PAUSE)


@frozen
class Attempts:
    """Tries for two seconds; pauses grow and are jittered, so that of many writers none starves for long."""

    sleep: Callable[[float], None] = time.sleep
    monotonic: Callable[[], float] = time.monotonic
    uniform: Callable[[float, float], float] = _uniform

    def until_written(self, attempt: Callable[[], _Answer]) -> _Answer:
        """The attempt's answer, once it was not cancelled.

        Raises:
            JobBusy: other writers were first for two seconds.
            Unavailable: the store was throttled or away for as long.
        """
        deadline = self.monotonic() + limits.BUSY_SECONDS
        for pause in pauses(self.uniform):
            try:
                return attempt()
            except Cancelled as cancelled:
                if self.monotonic() >= deadline:
                    raise _given_up(cancelled) from None
            self.sleep(pause)
        raise AssertionError("pauses have no end")


def _given_up(cancelled: Cancelled) -> JobBusy | Unavailable:
    if cancelled.outage:
        return Unavailable()
    return JobBusy("Too many writers report to this job at once; try again.", retry_after=1)
