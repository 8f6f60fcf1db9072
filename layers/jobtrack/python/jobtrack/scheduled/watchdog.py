"""Looks after running jobs with a heartbeat: which of those that are due are silent, and says so once a silence."""

import logging
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from jobtrack import times
from jobtrack.classes import service
from jobtrack.errors import JobBusy, NotFound, Unavailable
from jobtrack.store.job_timers import SHARDS, Timer, TimerStore
from jobtrack.store.jobs import JobStore
from jobtrack.store.snapshots import decode_snapshot
from jobtrack.store.transactions import Item

logger = logging.getLogger(__name__)

RETRY_SECONDS = 300
"""When to look again at a job that cannot be read: late enough that many of them do not hold up the rest."""


class Spread(Protocol):
    """Calls a function with each of the timers: `map`, or that of a pool of threads."""

    def __call__(self, each: Callable[[Timer], None], timers: Sequence[Timer], /) -> Iterable[None]:
        """Call it with each, in any order."""


@service
class Watchdog:
    """One run after another, and at once, come to the same: each judges by what is stored."""

    timers: TimerStore
    jobs: JobStore
    now: Callable[[], int] = times.now

    def run(self, goes_on: Callable[[], bool], spread: Spread = map) -> None:
        """Serve what is due, the longest due first, while there is time; the next run serves the rest.

        The shards take turns in being first, so that none waits for long when there is not enough time.
        """
        moment = self.now() // times.SECOND
        first = moment // 60 % SHARDS
        for turn in range(SHARDS):
            for page in self.timers.due((first + turn) % SHARDS, moment):
                if not goes_on():
                    return
                self._serve(page, spread)

    def _serve(self, page: Sequence[Timer], spread: Spread) -> None:
        items = self.jobs.read_snapshot_items({timer.job for timer in page})
        moves, over, silent = list[tuple[Timer, Timer]](), list[Timer](), list[Timer]()
        for timer in page:
            due = self._next(timer, items.get(timer.job))
            if due is None:
                over.append(timer)
            elif due.due * times.SECOND <= self.now():
                silent.append(timer)
            else:
                moves.append((timer, due))
        self.timers.move(moves, self.jobs.retention.seconds)
        self.timers.drop(over)
        for _ in spread(self._stall, silent):
            pass

    def _next(self, timer: Timer, item: Item | None) -> Timer | None:
        """When to look next by what is stored: not again, at the job's deadline (which may be over), or later."""
        if item is None:
            return None
        try:
            deadline = decode_snapshot(timer.job, item).job.deadline
        except Exception:  # whatever is wrong with one job must not hold up the others
            logger.exception("job %s cannot be read", timer.job.partition)
            return self._later(timer)
        return None if deadline is None else Timer.at(timer.job, deadline)

    def _stall(self, timer: Timer) -> None:
        try:
            self.jobs.mark_stalled(timer.job, timer)
        except (JobBusy, NotFound, Unavailable):
            return  # it reports, is gone, or cannot be written for now; its timer is there for the next run to see
        except Exception:  # as above
            logger.exception("job %s cannot be called stalled", timer.job.partition)
            self.timers.move([(timer, self._later(timer))], self.jobs.retention.seconds)

    def _later(self, timer: Timer) -> Timer:
        return Timer(timer.job, self.now() // times.SECOND + RETRY_SECONDS)
