"""Retries: the number of attempts and the delays between them."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from math import inf
from random import random as random_fraction
from typing import Self
from uuid import uuid4

from jobtrack_client._exceptions import JobTrackError


def new_key() -> str:
    """Return a new Idempotency-Key. All attempts of a request have the same key."""
    return str(uuid4())


@dataclass(frozen=True, slots=True)
class Backoff:
    """Exponential delays with jitter, in seconds: `first` x 2^(attempts - 1), at most `longest`, times 0.5 to 1.

    `longest_asked` limits the delays that the service asks for.
    """

    first: float = 0.5
    longest: float = 10.0
    longest_asked: float = 300.0
    random: Callable[[], float] = random_fraction

    def delay(self, attempts: int, asked: float | None = None, longest: float | None = None) -> float:
        """Return the seconds to wait after `attempts` failures, or the service's `asked` delay plus up to 10 %."""
        if asked is not None:
            return min(asked, self.longest_asked) * (1 + self.random() / 10)
        cap = self.longest if longest is None else min(longest, self.longest)
        full = min(cap, self.first * 2.0 ** min(attempts - 1, 32))
        return full * (1 + self.random()) / 2


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Allows `attempts` attempts, but none after the service asks to wait over `longest_wait` seconds."""

    attempts: float = 5
    longest_wait: float = 60.0
    backoff: Backoff = field(default_factory=Backoff)

    def endless(self) -> Self:
        """Return a policy that retries transient errors without limit."""
        return replace(self, attempts=inf, longest_wait=inf)

    def delay(self, attempts: int, error: JobTrackError) -> float:
        """Return the seconds to wait after `attempts` attempts, the last of which raised `error`.

        Raises:
            JobTrackError: the error, if the request is not sent again.
        """
        if not error.transient or attempts >= self.attempts or (error.retry_after or 0) > self.longest_wait:
            raise error
        return self.backoff.delay(attempts, error.retry_after)
