"""Ends subscriptions that have expired, so that their receivers are notified.

It need not run on time: an expired subscription receives no more events, even before it is ended.
"""

import logging
from collections.abc import Callable

from msgspec import Struct

from jobtrack import times
from jobtrack.errors import JobBusy, Unavailable
from jobtrack.invocation import Invocation
from jobtrack.push.subscriptions.subscription_ender import SubscriptionEnder
from jobtrack.store.timers import Timer, TimerStore
from jobtrack.times import Micros

logger = logging.getLogger(__name__)


class Expirer(Struct, eq=False):
    """Serves timers of the kind `EXPIRY`. Runs may overlap: each run decides by the stored subscription."""

    timers: TimerStore
    ender: SubscriptionEnder
    clock: Callable[[], Micros] = times.now

    def run(self, invocation: Invocation) -> None:
        """Serve the due timers while there is time; the next run serves the rest."""
        for page in self.timers.read_due_timers(self.clock()):
            if not invocation.has_time():
                return
            ended = invocation.call_with_each(self._end_if_expired, page)
            self.timers.delete_timers([timer for timer, is_ended in zip(page, ended, strict=True) if is_ended])

    def _end_if_expired(self, timer: Timer) -> bool:
        """End the subscription, unless it was renewed or has ended; return whether its timer is done."""
        try:
            self.ender.end(timer.job, timer.subscription_id, "expired")
        except (JobBusy, Unavailable):
            return False  # the next run finds the timer again
        except Exception:  # an error of one subscription must not prevent the rest
            logger.exception("Subscription %s cannot be ended.", timer.subscription_id)
            return False
        return True
