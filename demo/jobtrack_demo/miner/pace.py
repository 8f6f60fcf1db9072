"""The pace of a job that a person watches."""

import time
from collections.abc import Callable


class Pace:
    """Spreads work over a number of seconds, however fast it goes.

    The time that is left is spread evenly over the work that is left. Work that is slow shortens the waits after it,
    and work that takes longer than the seconds is not delayed.

    Args:
        seconds: How long the whole work takes at least. 0 removes the waits.
        sleep: Waits for a number of seconds.
        clock: A monotonic clock.
    """

    def __init__(
        self,
        seconds: float,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._sleep = sleep
        self._clock = clock
        self._done = 0.0
        self._at = clock()
        self._end = self._at + seconds

    def reach(self, done: float) -> None:
        """Wait until the time for a share of the whole work (0 to 1), which is done."""
        if done <= self._done:
            return
        time_left = max(0.0, self._end - self._at)
        due = self._at + time_left * (done - self._done) / (1 - self._done)
        self._sleep(max(0.0, due - self._clock()))
        self._done, self._at = done, self._clock()
