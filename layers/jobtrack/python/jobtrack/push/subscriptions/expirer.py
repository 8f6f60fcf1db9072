"""Ends the subscriptions whose time is over, and has their receivers told."""

import logging
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from jobtrack.classes import service
from jobtrack.errors import JobBusy, Unavailable
from jobtrack.push.subscriptions.endings import SubscriptionEnder
from jobtrack.push.subscriptions.expiry_timers import SHARDS, Expiry, ExpiryTable

logger = logging.getLogger(__name__)


class Spread(Protocol):
    """Calls a function with each of the timers: `map`, or that of a pool of threads."""

    def __call__(self, each: Callable[[Expiry], None], timers: Sequence[Expiry], /) -> Iterable[None]:
        """Call it with each, in any order."""


@service
class Expirer:
    """One run after another, and at once, come to the same: each judges by what is stored.

    Nobody waits for it: what has expired is pushed to no more, whether or not it was noted.
    """

    expiries: ExpiryTable
    endings: SubscriptionEnder
    clock: Callable[[], float] = time.time

    def run(self, goes_on: Callable[[], bool], spread: Spread = map) -> None:
        """Serve what is due, the longest due first, while there is time; the next run serves the rest.

        The shards take turns in being first, so that none waits for long when there is not enough time.
        """
        now = int(self.clock())
        for turn in range(SHARDS):
            for page in self.expiries.due((now // 60 + turn) % SHARDS, now):
                if not goes_on():
                    return
                for _ in spread(self._expire, page):
                    pass

    def _expire(self, expiry: Expiry) -> None:
        """The timer goes last; one of a subscription that was renewed or has ended finds nothing to do."""
        try:
            self.endings.end(expiry.job, expiry.subscription_id, "expired")
            self.expiries.drop(expiry)
        except (JobBusy, Unavailable):
            return  # the timer is there for the next run to see
        except Exception:  # whatever is wrong with one subscription must not hold up the others
            logger.exception("subscription %s cannot be ended", expiry.subscription_id)
