"""Deletes open jobs that have not reported for the retention period. Ended jobs are deleted by their TTL."""

from jobtrack.scheduled.job_timers import JobTimerServer
from jobtrack.store.job_expiry import expire_job
from jobtrack.store.snapshots import decode_snapshot
from jobtrack.store.timers import RETENTION, Timer
from jobtrack.store.too_many_requests import write_with_retries
from jobtrack.store.transactions import Item
from jobtrack.store.ttl import decode_job_expiry


class JobExpirer(JobTimerServer, eq=False):
    """Serves timers of the kind `RETENTION`."""

    def next_timer(self, timer: Timer, item: Item) -> Timer | None:
        """Return the timer of the job's expiry, which each report moves."""
        if decode_snapshot(timer.job, item).job.status.ended:
            return None
        return Timer(RETENTION, timer.job, decode_job_expiry(item))

    def serve_timer(self, timer: Timer) -> None:
        """Delete the job, unless it has reported."""
        jobs = self.jobs
        write_with_retries(jobs.retry, lambda: expire_job(jobs.dynamodb, jobs.table, timer.job, timer, self.now()))
