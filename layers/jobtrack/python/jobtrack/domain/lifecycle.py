"""What each reported event does to its job. No other module changes the state of a job."""

from collections.abc import Callable, Sequence

from jobtrack import limits
from jobtrack.domain import stage_events, stalled
from jobtrack.domain.estimate import expected_job_range, overall_percentage, total_seconds
from jobtrack.domain.events import (
    STAGE_EVENTS,
    AppliedEvent,
    Event,
    applied_event,
    stage_name,
    timeline_record,
    with_state,
)
from jobtrack.domain.job import Job, JobStatus, StageStatus
from jobtrack.domain.journal import metric_minutes, progress_minutes
from jobtrack.domain.journal.records import Family, Record
from jobtrack.domain.transitions import MOVES, require_allowed
from jobtrack.errors import Fault, Unprocessable
from jobtrack.times import Micros

_MOVING = STAGE_EVENTS | MOVES.keys() | {"jobQueued"}
"""The events that may change the percentage."""


def apply(job: Job, events: Sequence[Event], arrival: Micros) -> tuple[list[AppliedEvent], list[Record]]:
    """Apply events to a job, in their order. Return the applied events, and the records for the journal.

    After an error the job is half changed and must be discarded.

    Raises:
        InvalidTransition: the status of the job does not allow one of the events.
        Unprocessable: an event names a new stage, but the job has the maximum number of stages.
    """
    applied, records = [], []
    for index, event in enumerate(events):
        require_allowed(job.status, event.type, index)
        _require_room_for_stage(job, event, index)
        job.sequence += 1
        event_records = _ACTIONS[event.type](job, event)
        previous = job.pushed_percentage
        if event.type in _MOVING:  # an estimate may decrease, a percentage that was shown may not
            job.percentage = max(job.percentage, overall_percentage(job))
        if event.type == "progressUpdate":
            job.pushed_percentage = job.percentage
        records += [with_state(record, job, previous) for record in event_records]
        applied.append(applied_event(job, event, previous))
    stalled.note_report(job, arrival)
    _set_first_estimate(job, events)
    return applied, records


def _require_room_for_stage(job: Job, event: Event, index: int) -> None:
    name = stage_name(event)
    if name is not None and len(job.stages) >= limits.STAGES and job.stage(name) is None:
        detail = f"would be one more than the {limits.STAGES} stages that a job has at most"
        pointer = f"/events/{index}/data/stageName"
        raise Unprocessable(f"{pointer} {detail}.", [Fault(pointer, detail)])


def _set_first_estimate(job: Job, events: Sequence[Event]) -> None:
    # The start has the time of the worker's clock, so the estimate must use that clock too.
    if job.first_estimate is None and job.status is JobStatus.RUNNING:
        job.first_estimate = total_seconds(job, max(event.time for event in events))


def _start_job(job: Job, event: Event) -> list[Record]:
    job.status, job.started_at = JobStatus.RUNNING, event.time
    resources = event.data.get("resourcesAllocated") or {}
    names = ("cpuUnits", "memoryGB", "workerNode")
    job.allocated = {name: resources[name] for name in names if name in resources} or None
    job.estimated_seconds = event.data.get("estimatedSeconds")
    return [timeline_record(job, event, expected_job_range(job))]


def _end_job(job: Job, event: Event) -> list[Record]:
    """End the job and its running stages. The stages that a completed job never started count as skipped."""
    job.status, _ = MOVES[event.type]
    job.ended_at = event.time
    job.metrics = event.data.get("metrics") or None
    job.error = event.data.get("error") if job.status is JobStatus.FAILED else None
    stage_status = StageStatus.COMPLETED if job.status is JobStatus.COMPLETED else StageStatus.FAILED
    for stage in job.stages:
        if stage.status is StageStatus.RUNNING:
            stage_events.set_stage_ended(stage, stage_status, event.time)
        elif stage.status is StageStatus.PENDING and job.status is JobStatus.COMPLETED:
            stage.status = StageStatus.SKIPPED
    closed = metric_minutes.close(job) + progress_minutes.close(job)
    return [*closed, timeline_record(job, event)]


def _add_log_line(job: Job, event: Event) -> list[Record]:
    data = event.data
    if data["level"] == "WARN":
        job.warnings += 1
    elif data["level"] == "ERROR":
        job.errors += 1
    body = [data["message"], data.get("component"), data.get("stage"), data.get("details")]
    while body[-1] is None:  # log lines take most of the space
        body.pop()
    return [Record(Family[data["level"]], event.time, job.sequence, body)]


def _add_sample(job: Job, event: Event) -> list[Record]:
    return metric_minutes.add(job, event.time, event.data)


def _set_quality(job: Job, event: Event) -> list[Record]:
    job.quality |= {name: value for name, value in event.data.items() if value is not None}
    return []


def _add_note(job: Job, event: Event) -> list[Record]:
    if event.type == "warning":
        job.warnings += 1
    elif event.type == "error":
        job.errors += 1
    return [timeline_record(job, event)]


def _record_only(job: Job, event: Event) -> list[Record]:
    return [timeline_record(job, event)]


def _do_nothing(job: Job, event: Event) -> list[Record]:
    return []


_ACTIONS: dict[str, Callable[[Job, Event], list[Record]]] = {
    "jobQueued": _record_only,
    "jobStarted": _start_job,
    "stageStarted": stage_events.start_stage,
    "stageCompleted": stage_events.end_stage,
    "stageFailed": stage_events.end_stage,
    "stageSkipped": stage_events.end_stage,
    "progressUpdate": stage_events.update_progress,
    "log": _add_log_line,
    "metricSample": _add_sample,
    "quality": _set_quality,
    "milestone": _add_note,
    "warning": _add_note,
    "error": _add_note,
    "resourceAllocated": _record_only,
    "resourceReleased": _record_only,
    "blocked": _record_only,
    "unblocked": _record_only,
    "heartbeat": _do_nothing,
    "jobCompleted": _end_job,
    "jobFailed": _end_job,
    "jobCancelled": _end_job,
}
