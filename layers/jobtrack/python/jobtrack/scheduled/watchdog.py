"""Finds running jobs whose heartbeat is overdue, and marks each as stalled, once per silence."""

import logging
from collections.abc import Callable, Sequence

from msgspec import Struct

from jobtrack import times
from jobtrack.domain.stalled import report_deadline
from jobtrack.errors import JobBusy, NotFound, Unavailable
from jobtrack.invocation import Invocation
from jobtrack.store.jobs import JobStore
from jobtrack.store.snapshots import decode_snapshot
from jobtrack.store.timers import HEARTBEAT, Timer, TimerStore
from jobtrack.store.transactions import Item
from jobtrack.times import Micros

logger = logging.getLogger(__name__)

RETRY_SECONDS = 300
"""Delay before the next look at a job that cannot be read: long enough that many of them do not delay the rest."""


class Watchdog(Struct, eq=False):
    """Serves timers of the kind `HEARTBEAT`. Runs may overlap: each decides by what is stored."""

    timers: TimerStore
    jobs: JobStore
    now: Callable[[], Micros] = times.now

    def run(self, invocation: Invocation) -> None:
        """Serve the due timers while there is time; the next run serves the rest."""
        for page in self.timers.read_due_timers(self.now()):
            if not invocation.has_time():
                return
            self._serve_page(page, invocation)

    def _serve_page(self, page: Sequence[Timer], invocation: Invocation) -> None:
        items = self.jobs.read_snapshot_items({timer.job for timer in page})
        next_timers = {timer: self._next_timer(timer, items.get(timer.job)) for timer in page}
        later = {timer: new for timer, new in next_timers.items() if new and new.due > self.now()}
        overdue = [timer for timer, new in next_timers.items() if new and timer not in later]
        self.timers.replace_timers(later)
        self.timers.delete_timers([timer for timer, new in next_timers.items() if new is None])
        invocation.call_with_each(self._mark_stalled, overdue)

    def _next_timer(self, timer: Timer, item: Item | None) -> Timer | None:
        """Return the timer of the heartbeat that the job is to send next, which may be overdue; `None` if none."""
        if item is None:
            return None
        try:
            deadline = report_deadline(decode_snapshot(timer.job, item).job)
        except Exception:  # no error of one job may keep the others from being served
            logger.exception("Job %s cannot be read.", timer.job.partition)
            return self._retry_timer(timer)
        return None if deadline is None else Timer.for_heartbeat(timer.job, deadline)

    def _mark_stalled(self, timer: Timer) -> None:
        try:
            self.jobs.mark_stalled(timer.job, timer)
        except (JobBusy, NotFound, Unavailable):
            return  # the job reports, is gone, or cannot be written now; the next run finds the timer again
        except Exception:  # as above
            logger.exception("Job %s cannot be marked as stalled.", timer.job.partition)
            self.timers.replace_timers({timer: self._retry_timer(timer)})

    def _retry_timer(self, timer: Timer) -> Timer:
        return Timer(HEARTBEAT, timer.job, times.add_seconds(self.now(), RETRY_SECONDS))
