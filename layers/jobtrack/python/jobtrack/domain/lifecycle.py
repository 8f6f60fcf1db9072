"""What each reported event does to its job: pure, and the only place that changes a job's state."""

from collections.abc import Callable, Sequence

from jobtrack import limits
from jobtrack.domain import stage_events
from jobtrack.domain.estimate import expected_job_range, overall_percentage, total_seconds
from jobtrack.domain.events import Applied, Event, entry
from jobtrack.domain.job import Job, JobStatus, StageStatus
from jobtrack.domain.journal import metric_minutes, progress_minutes
from jobtrack.domain.journal.journal import Family, Record
from jobtrack.domain.transitions import MOVES, require
from jobtrack.errors import Fault, Unprocessable


def apply(job: Job, events: Sequence[Event], arrival: int) -> tuple[list[Applied], list[Record]]:
    """Change the job by the events in their order; answers what was applied and what the journal must keep.

    Raises:
        InvalidTransition: the job's status does not allow one of them; the job must then be thrown away.
        Unprocessable: one names a stage too many; the job must then be thrown away.
    """
    applied, records = [], []
    for index, event in enumerate(events):
        require(job.status, event.type, index)
        _require_room(job, event, index)
        job.sequence += 1
        made = _ACTIONS[event.type](job, event)
        previous = job.pushed_percentage
        job.percentage = max(job.percentage, overall_percentage(job))
        if event.type == "progressUpdate":
            job.pushed_percentage = job.percentage
        records += [_marked(record, job, previous) for record in made]
        applied.append(_applied(job, event, previous))
    job.updated_at = max(job.updated_at, arrival)
    job.stalled = False
    _keep_first_estimate(job, events)
    return applied, records


def _marked(record: Record, job: Job, previous: int) -> Record:
    """With the job's standing right after the event, by which it is pushed to who subscribes later.

    Of timeline events only what is not usual: a percentage above 0, a status that is not Running.
    """
    if record.family is Family.PROGRESS:
        return record._replace(body={**record.body, "percentages": [job.percentage, previous]})
    if record.family is not Family.EVENT:
        return record
    percentage = {"percentage": job.percentage} if job.percentage else {}
    status = {} if job.status is JobStatus.RUNNING else {"status": job.status}
    return record._replace(body={**record.body, **percentage, **status})


def stall(job: Job, moment: int) -> tuple[list[Applied], list[Record]]:
    """Note that nothing was heard of a running job for too long: an event of its own, though no report."""
    event = Event("jobStalled", moment, {})
    job.sequence += 1
    job.stalled = True
    previous = job.pushed_percentage
    return [_applied(job, event, previous)], [_marked(entry(job, event), job, previous)]


def _applied(job: Job, event: Event, previous_percentage: int) -> Applied:
    named = event.data.get("stageName") if event.type in _OF_A_STAGE else None
    stage = job.running_stage if named is None else job.stage(named)
    name, labels = (stage.name, stage.labels) if stage else (None, None)
    return Applied(event, job.sequence, job.status, job.percentage, previous_percentage, name, labels)


_OF_A_STAGE = frozenset({"stageStarted", "stageCompleted", "stageFailed", "stageSkipped", "progressUpdate"})


def _require_room(job: Job, event: Event, index: int) -> None:
    named = event.data.get("stageName") if event.type in _OF_A_STAGE else None
    if named is not None and len(job.stages) >= limits.STAGES and job.stage(named) is None:
        detail = f"would be one more than the {limits.STAGES} stages that a job has at most"
        pointer = f"/events/{index}/data/stageName"
        raise Unprocessable(f"{pointer} {detail}.", [Fault(pointer, detail)])


def _keep_first_estimate(job: Job, events: Sequence[Event]) -> None:
    """By the worker's own clock, which the job's start was told by, not by ours."""
    if job.first_estimate is None and job.status is JobStatus.RUNNING:
        job.first_estimate = total_seconds(job, max(event.time for event in events))


def _job_started(job: Job, event: Event) -> list[Record]:
    job.status, job.started_at = JobStatus.RUNNING, event.time
    given = event.data.get("resourcesAllocated") or {}
    job.allocated = {name: given[name] for name in ("cpuUnits", "memoryGB", "workerNode") if name in given} or None
    job.estimated_seconds = event.data.get("estimatedSeconds")
    return [entry(job, event, expected_job_range(job))]


def _job_ended(job: Job, event: Event) -> list[Record]:
    job.status, _ = MOVES[event.type]
    job.ended_at = event.time
    job.metrics = event.data.get("metrics") or None
    job.error = event.data.get("error") if job.status is JobStatus.FAILED else None
    closing = StageStatus.COMPLETED if job.status is JobStatus.COMPLETED else StageStatus.FAILED
    for stage in job.stages:
        if stage.status is StageStatus.RUNNING:
            stage_events.end_stage(stage, closing, event.time)
        elif stage.status is StageStatus.PENDING and job.status is JobStatus.COMPLETED:
            stage.status = StageStatus.SKIPPED
    closed = metric_minutes.close(job) + progress_minutes.close(job)
    return [*closed, entry(job, event)]


def _log(job: Job, event: Event) -> list[Record]:
    data = event.data
    if data["level"] == "WARN":
        job.warnings += 1
    elif data["level"] == "ERROR":
        job.errors += 1
    body = [data["message"], data.get("component"), data.get("stage"), data.get("details")]
    while body[-1] is None:
        body.pop()
    return [Record(Family[data["level"]], event.time, job.sequence, body)]


def _sample(job: Job, event: Event) -> list[Record]:
    return metric_minutes.add(job, event.time, event.data)


def _quality(job: Job, event: Event) -> list[Record]:
    job.quality |= {name: value for name, value in event.data.items() if value is not None}
    return []


def _note(job: Job, event: Event) -> list[Record]:
    if event.type == "warning":
        job.warnings += 1
    elif event.type == "error":
        job.errors += 1
    return [entry(job, event)]


def _nothing(job: Job, event: Event) -> list[Record]:
    return []


def _kept(job: Job, event: Event) -> list[Record]:
    return [entry(job, event)]


_ACTIONS: dict[str, Callable[[Job, Event], list[Record]]] = {
    "jobQueued": _kept,
    "jobStarted": _job_started,
    "stageStarted": stage_events.stage_started,
    "stageCompleted": stage_events.stage_ended,
    "stageFailed": stage_events.stage_ended,
    "stageSkipped": stage_events.stage_ended,
    "progressUpdate": stage_events.progress,
    "log": _log,
    "metricSample": _sample,
    "quality": _quality,
    "milestone": _note,
    "warning": _note,
    "error": _note,
    "resourceAllocated": _kept,
    "resourceReleased": _kept,
    "blocked": _kept,
    "unblocked": _kept,
    "heartbeat": _nothing,
    "jobCompleted": _job_ended,
    "jobFailed": _job_ended,
    "jobCancelled": _job_ended,
}
