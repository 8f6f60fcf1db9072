"""How long to wait before the next try."""

from collections.abc import Callable
from dataclasses import dataclass
from random import random as random_fraction


@dataclass(frozen=True, slots=True)
class Backoff:
    """Doubling waits with jitter, in seconds: between half and all of `first` x 2^tries, never above `longest`."""

    first: float = 0.5
    longest: float = 10.0
    random: Callable[[], float] = random_fraction

    def delay(self, tries: int, asked: float | None = None, longest: float | None = None) -> float:
        """Seconds to wait after `tries` failures; what the service `asked` for is a lower bound, plus up to a tenth."""
        if asked is not None:
            return asked * (1 + self.random() / 10)
        cap = self.longest if longest is None else min(longest, self.longest)
        full = min(cap, self.first * 2.0 ** min(tries - 1, 32))
        return full * (1 + self.random()) / 2
