"""The service's retry policy: exponential backoff with full jitter, within a time limit.

Each delay is a random time between zero and a limit that doubles with each attempt. The source of the formula is
https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/

A library would cost more than it saves: tenacity alone takes about 40 ms of each cold start, and 270 KB of the layer.
"""

import math
import random
import time
from collections.abc import Callable, Iterator
from itertools import count

from msgspec import Struct

from jobtrack import limits


class Retry(Struct, frozen=True):
    """A policy, with the clock and the randomness that it uses.

    Args:
        seconds: the time limit; there is no retry after it.
        base_seconds: limit of the first delay.
        cap_seconds: limit of every delay.
        sleep: waits for a number of seconds.
        monotonic: the current time, in seconds.
        uniform: draws a random number between two numbers.
    """

    seconds: float = limits.BUSY_SECONDS
    base_seconds: float = 0.01
    cap_seconds: float = 0.2
    sleep: Callable[[float], None] = time.sleep
    monotonic: Callable[[], float] = time.monotonic
    # Not the generator of `random` itself: functions restored from one snapshot would all draw the same numbers.
    uniform: Callable[[float, float], float] = random.SystemRandom().uniform

    def attempts(self) -> Iterator[int]:
        """Yield the number of each attempt, from 0, and sleep between them; the caller stops after a success."""
        deadline = self.monotonic() + self.seconds
        for attempt in count():
            yield attempt
            if self.monotonic() >= deadline:
                return
            self.sleep(self.uniform(0, self.max_delay(attempt)))

    def max_delay(self, attempt: int) -> float:
        """Return the longest delay after an attempt (from 0), in seconds."""
        doublings = min(attempt, 30)  # a greater number would overflow, and the cap is reached long before
        return min(self.cap_seconds, math.ldexp(self.base_seconds, doublings))


RETRY = Retry()
