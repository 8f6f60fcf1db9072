"""When a job is stalled.

A job is stalled if it runs, was created with `heartbeatSeconds`, and no report has arrived for longer than that. Any
report counts, not only the event `heartbeat`. The watchdog looks for such jobs and marks them with the event
`jobStalled`; the next report removes the mark. The views show the mark, so a job may be silent for up to a minute (the
interval of the watchdog) before they show it as stalled.
"""

from jobtrack import times
from jobtrack.domain.events import AppliedEvent, Event, applied_event, timeline_record, with_state
from jobtrack.domain.job import Job, JobStatus
from jobtrack.domain.journal.records import Record
from jobtrack.times import Micros


def report_deadline(job: Job) -> Micros | None:
    """Return the time after which the job is stalled if no report has arrived.

    `None` if no report is due: the job has no heartbeat, does not run, or is marked as stalled already.
    """
    if job.heartbeat_seconds is None or job.status is not JobStatus.RUNNING or job.stalled:
        return None
    return times.add_seconds(job.updated_at, job.heartbeat_seconds)


def is_overdue(job: Job, now: Micros) -> bool:
    """Return whether the job is stalled at this time and not marked yet."""
    deadline = report_deadline(job)
    return deadline is not None and deadline < now


def mark_stalled(job: Job, now: Micros) -> tuple[list[AppliedEvent], list[Record]]:
    """Mark the job as stalled. Return the event `jobStalled` and its record for the journal."""
    event = Event("jobStalled", now, {})
    job.sequence += 1
    job.stalled = True
    previous = job.pushed_percentage
    return [applied_event(job, event, previous)], [with_state(timeline_record(job, event), job, previous)]


def note_report(job: Job, arrival: Micros) -> None:
    """Note when a report arrived; the job is no longer stalled."""
    job.updated_at = max(job.updated_at, arrival)
    job.stalled = False
