"""A job is stalled once no report has arrived for longer than its heartbeat interval."""

import pytest

from jobtrack import times
from jobtrack.domain.job import Job, JobStatus
from jobtrack.domain.stalled import is_overdue, mark_stalled, note_report, report_deadline
from tests.unit.job_builders import START, at, queued, report


def silent_job(seconds: int | None = 60) -> Job:
    job = queued("A", heartbeat_seconds=seconds)
    report(job, "10:30:00", "jobStarted")
    return job


def test_a_report_is_due_within_the_heartbeat_interval() -> None:
    assert report_deadline(silent_job()) == at("10:31:00")


def test_a_job_is_overdue_only_after_its_deadline() -> None:
    assert not is_overdue(silent_job(), at("10:31:00"))
    assert is_overdue(silent_job(), times.Micros(at("10:31:00") + 1))


def test_no_report_is_due_without_a_heartbeat_interval() -> None:
    assert report_deadline(silent_job(None)) is None


@pytest.mark.parametrize("status", [status for status in JobStatus if status is not JobStatus.RUNNING])
def test_no_report_is_due_unless_the_job_runs(status: JobStatus) -> None:
    job = silent_job()
    job.status = status
    assert report_deadline(job) is None


def test_a_job_is_marked_once_until_it_reports_again() -> None:
    job = silent_job()
    (event,), (record,) = mark_stalled(job, at("10:32:00"))
    assert (event.event.type, event.sequence, record.time) == ("jobStalled", job.sequence, at("10:32:00"))
    assert (job.stalled, is_overdue(job, at("11:00:00"))) == (True, False)
    note_report(job, at("10:33:00"))
    assert (job.stalled, report_deadline(job)) == (False, at("10:34:00"))


def test_a_late_arrival_does_not_move_the_deadline_back() -> None:
    job = silent_job()
    note_report(job, times.Micros(START - times.HOUR))
    assert report_deadline(job) == at("10:31:00")
