"""Finds running jobs whose heartbeat is overdue, and marks each job as stalled, once per silence."""

from jobtrack.domain.stalled import report_deadline
from jobtrack.scheduled.job_timers import JobTimerServer
from jobtrack.store.snapshots import decode_snapshot
from jobtrack.store.timers import Timer
from jobtrack.store.transactions import Item


class Watchdog(JobTimerServer, eq=False):
    """Serves timers of the kind `HEARTBEAT`."""

    def next_timer(self, timer: Timer, item: Item) -> Timer | None:
        """Return the timer of the heartbeat that the job is to send next."""
        deadline = report_deadline(decode_snapshot(timer.job, item).job)
        return None if deadline is None else Timer.for_heartbeat(timer.job, deadline)

    def serve_timer(self, timer: Timer) -> None:
        """Mark the job as stalled, unless it has reported."""
        self.jobs.mark_stalled(timer.job, timer)
