"""Serves timers of jobs: moves early timers, writes what due timers require, and deletes unneeded timers."""

import logging
from collections.abc import Callable, Sequence

from msgspec import Struct

from jobtrack import times
from jobtrack.errors import JobBusy, NotFound, Unavailable
from jobtrack.invocation import Invocation
from jobtrack.store.jobs import JobStore
from jobtrack.store.timers import Timer, TimerStore
from jobtrack.store.transactions import Item
from jobtrack.times import Micros

logger = logging.getLogger(__name__)

RETRY_SECONDS = 300
"""Delay before the next look at a job that cannot be read: long enough that many such jobs do not delay the rest."""


class JobTimerServer(Struct, eq=False):
    """Serves timers of one kind. Runs may overlap: each run decides by the stored job. Subclasses do the work."""

    timers: TimerStore
    jobs: JobStore
    now: Callable[[], Micros] = times.now

    def next_timer(self, timer: Timer, item: Item) -> Timer | None:
        """Return the timer that a stored job needs now, which may be due; `None` if it needs none."""
        raise NotImplementedError

    def serve_timer(self, timer: Timer) -> None:
        """Read the job again. If the timer is still due, do its work and delete it."""
        raise NotImplementedError

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
        due = [timer for timer, new in next_timers.items() if new and timer not in later]
        self.timers.replace_timers(later)
        self.timers.delete_timers([timer for timer, new in next_timers.items() if new is None])
        invocation.call_with_each(self._serve_timer, due)

    def _next_timer(self, timer: Timer, item: Item | None) -> Timer | None:
        if item is None:
            return None
        try:
            return self.next_timer(timer, item)
        except Exception:  # an error of one job must not prevent the rest
            logger.exception("Job %s cannot be read.", timer.job.partition)
            return self._retry_timer(timer)

    def _serve_timer(self, timer: Timer) -> None:
        try:
            self.serve_timer(timer)
        except (JobBusy, NotFound, Unavailable):
            return  # the job reports, is gone, or cannot be written now; the next run finds the timer again
        except Exception:  # as above
            logger.exception("The %s timer of job %s cannot be served.", timer.kind, timer.job.partition)
            self.timers.replace_timers({timer: self._retry_timer(timer)})

    def _retry_timer(self, timer: Timer) -> Timer:
        return Timer(timer.kind, timer.job, times.add_seconds(self.now(), RETRY_SECONDS))
