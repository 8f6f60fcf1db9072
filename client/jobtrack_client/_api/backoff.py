"""How long to wait before the next try."""

from collections.abc import Callable
from dataclasses import dataclass
from random import random as random_fraction


@dataclass(frozen=True, slots=True)
class Backoff:
    """Doubling waits with jitter, in seconds: from half to all of `first` x 2^(tries - 1), at most `longest`."""

    first: float = 0.5
    longest: float = 10.0
    longest_asked: float = 300.0
    random: Callable[[], float] = random_fraction

    def delay(self, tries: int, asked: float | None = None, longest: float | None = None) -> float:
        """Seconds to wait after `tries` failures; what the service `asked` for, and up to a tenth more, goes first."""
        if asked is not None:
            return min(asked, self.longest_asked) * (1 + self.random() / 10)
        cap = self.longest if longest is None else min(longest, self.longest)
        full = min(cap, self.first * 2.0 ** min(tries - 1, 32))
        return full * (1 + self.random()) / 2
