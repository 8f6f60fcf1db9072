"""Extends the TTL of the older items of live jobs, one job after another, until the time is nearly over."""

import logging
from collections.abc import Callable

from msgspec import Struct
from msgspec.structs import replace

from jobtrack import times
from jobtrack.invocation import Invocation
from jobtrack.store.timers import Timer, TimerStore
from jobtrack.store.ttl_extension import TtlStore
from jobtrack.times import Micros

logger = logging.getLogger(__name__)

RETRY_SECONDS = 300
"""Delay before the next attempt for a job whose items could not be extended."""


class TtlExtender(Struct, eq=False):
    """Serves timers of the kind `EXTENSION`. Runs may overlap: an extended item is not extended again."""

    timers: TimerStore
    ttls: TtlStore
    now: Callable[[], Micros] = times.now

    def run(self, invocation: Invocation) -> None:
        """Serve the due timers while there is time; the next run continues where this one ends."""
        for page in self.timers.read_due_timers(self.now()):
            for timer in page:
                if not invocation.has_time():
                    return
                self._serve_timer(timer, invocation)

    def _serve_timer(self, timer: Timer, invocation: Invocation) -> None:
        try:
            resume_after = self.ttls.extend_job(timer.job, timer.resume_after, invocation)
        except Exception:  # an error of one job must not prevent the rest
            logger.exception("The TTL of job %s cannot be extended.", timer.job.partition)
            retry_at = times.add_seconds(self.now(), RETRY_SECONDS)
            self.timers.replace_timers({timer: replace(timer, due=retry_at)})
            return
        if resume_after is None:
            self.timers.delete_timers([timer])
        else:
            self.timers.put_timer(replace(timer, resume_after=resume_after))
