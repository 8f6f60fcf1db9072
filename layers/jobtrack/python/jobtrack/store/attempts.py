"""Trying again when another writer was first."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from jobtrack import limits
from jobtrack.errors import JobBusy
from jobtrack.store.transactions import Cancelled

_FIRST_PAUSE = 0.01
_LONGEST_PAUSE = 0.2

_Answer = TypeVar("_Answer")


@dataclass(frozen=True, slots=True)
class Attempts:
    """Tries for two seconds; pauses grow and are jittered, so that of many writers none starves for long."""

    sleep: Callable[[float], None] = time.sleep
    monotonic: Callable[[], float] = time.monotonic
    uniform: Callable[[float, float], float] = random.uniform

    def until_written(self, attempt: Callable[[], _Answer]) -> _Answer:
        """The attempt's answer, once it was not cancelled.

        Raises:
            JobBusy: other writers were first for two seconds.
        """
        deadline, pause = self.monotonic() + limits.BUSY_SECONDS, _FIRST_PAUSE
        while True:
            try:
                return attempt()
            except Cancelled:
                if self.monotonic() >= deadline:
                    raise JobBusy("Too many writers report to this job at once; try again.", retry_after=1) from None
            self.sleep(self.uniform(0, pause))
            pause = min(2 * pause, _LONGEST_PAUSE)
