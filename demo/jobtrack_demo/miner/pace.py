"""The pace of a job that a person watches."""

import time
from collections.abc import Callable


class Pace:
    """Spreads work over at least a number of seconds.

    The remaining time is spread evenly over the remaining work. Slow work shortens the waits after it. If the time is
    over, work is not delayed.

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
        """Wait until the time at which the finished share of the whole work (0 to 1) is due."""
        if done <= self._done:
            return
        time_left = max(0.0, self._end - self._at)
        due = self._at + time_left * (done - self._done) / (1 - self._done)
        self._sleep(max(0.0, due - self._clock()))
        self._done, self._at = done, self._clock()
