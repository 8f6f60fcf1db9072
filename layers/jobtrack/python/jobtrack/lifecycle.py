"""What each reported event does to its job: pure, and the only place that changes a job's state."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from jobtrack import limits, progress_minutes, rollups
from jobtrack.errors import Fault, Unprocessable
from jobtrack.estimate import expected_job_range, expected_range, overall_percentage, total_seconds
from jobtrack.job import Job, Json, Stage, StageStatus, Status
from jobtrack.journal import Family, Record
from jobtrack.transitions import MOVES, require


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened: its type, its time in microseconds, and its data as reported."""

    type: str
    time: int
    data: Json


@dataclass(frozen=True, slots=True)
class Applied:
    """What an event became: its sequence, and the job's standing right after it, for those who are told of it."""

    event: Event
    sequence: int
    status: Status
    percentage: int
    previous_percentage: int
    stage: str | None
    labels: dict[str, str] | None


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
        records += _ACTIONS[event.type](job, event)
        previous = job.pushed_percentage
        job.percentage = max(job.percentage, overall_percentage(job))
        if event.type == "progressUpdate":
            job.pushed_percentage = job.percentage
        applied.append(_applied(job, event, previous))
    job.updated_at = max(job.updated_at, arrival)
    job.stalled = False
    _keep_first_estimate(job, events)
    return applied, records


def stall(job: Job, moment: int) -> tuple[list[Applied], list[Record]]:
    """Note that nothing was heard of a running job for too long: an event of its own, though no report."""
    event = Event("jobStalled", moment, {})
    job.sequence += 1
    job.stalled = True
    return [_applied(job, event, job.pushed_percentage)], [_entry(job, event)]


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
    if job.first_estimate is None and job.status is Status.RUNNING:
        job.first_estimate = total_seconds(job, max(event.time for event in events))


def _job_started(job: Job, event: Event) -> list[Record]:
    job.status, job.started_at = Status.RUNNING, event.time
    given = event.data.get("resourcesAllocated") or {}
    job.allocated = {name: given[name] for name in ("cpuUnits", "memoryGB", "workerNode") if name in given} or None
    job.estimated_seconds = event.data.get("estimatedSeconds")
    return [_entry(job, event, expected_job_range(job))]


def _job_ended(job: Job, event: Event) -> list[Record]:
    job.status, _ = MOVES[event.type]
    job.ended_at = event.time
    job.metrics = event.data.get("metrics") or None
    job.error = event.data.get("error") if job.status is Status.FAILED else None
    closing = StageStatus.COMPLETED if job.status is Status.COMPLETED else StageStatus.FAILED
    for stage in job.stages:
        if stage.status is StageStatus.RUNNING:
            _end_stage(stage, closing, event.time)
        elif stage.status is StageStatus.PENDING and job.status is Status.COMPLETED:
            stage.status = StageStatus.SKIPPED
    closed = rollups.close(job) + progress_minutes.close(job)
    return [*closed, _entry(job, event)]


def _stage_started(job: Job, event: Event) -> list[Record]:
    stage = _planned(job, event.data["stageName"])
    if stage.status is not StageStatus.RUNNING:
        stage.status, stage.started_at, stage.ended_at = StageStatus.RUNNING, event.time, None
        stage.progress, stage.records, stage.error = 0.0, None, None
    _take_figures(stage, event.data)
    return [_entry(job, event, expected_range(stage))]


def _stage_ended(job: Job, event: Event) -> list[Record]:
    stage = _planned(job, event.data["stageName"])
    _end_stage(stage, _STAGE_ENDS[event.type], event.time)
    _take_figures(stage, event.data)
    stage.error = event.data.get("error")
    took = {"seconds": stage.seconds} if stage.seconds is not None else {}
    body = {"type": event.type, "data": event.data, **took}
    return [*progress_minutes.close_stage(job, stage.name), Record(Family.EVENT, event.time, job.sequence, body)]


_STAGE_ENDS = {
    "stageCompleted": StageStatus.COMPLETED,
    "stageFailed": StageStatus.FAILED,
    "stageSkipped": StageStatus.SKIPPED,
}


def _end_stage(stage: Stage, status: StageStatus, time: int) -> None:
    stage.status = status
    if status is StageStatus.COMPLETED:
        stage.progress = 100.0
    if status is not StageStatus.SKIPPED:
        stage.started_at = time if stage.started_at is None else stage.started_at
    if stage.started_at is not None:
        stage.ended_at = max(time, stage.started_at)


def _planned(job: Job, name: str) -> Stage:
    """The stage of that name; one that is not in the plan is appended to it."""
    stage = job.stage(name)
    if stage is None:
        stage = Stage(name)
        job.stages.append(stage)
    return stage


def _take_figures(stage: Stage, data: Json) -> None:
    stage.records = _given(data, "recordsProcessed", stage.records)
    stage.total_records = _given(data, "totalRecords", stage.total_records)
    if metrics := data.get("metrics"):
        stage.metrics = {**(stage.metrics or {}), **metrics}


def _given(data: Json, name: str, otherwise: int | None) -> int | None:
    value: int | None = data.get(name)
    return otherwise if value is None else value


def _progress(job: Job, event: Event) -> list[Record]:
    data = event.data
    named = data.get("stageName")
    stage = job.running_stage if named is None else _planned(job, named)
    progress = _reported_progress(job, stage, data)
    if stage is None:
        job.own_progress = progress
        job.records = _given(data, "recordsProcessed", job.records)
        job.total_records = _given(data, "totalRecords", job.total_records)
    else:
        _take_progress(stage, progress, event)
    told = {name: data[name] for name in ("component", "operation", "details") if data.get(name) is not None}
    job.activity = {**(job.activity or {}), **told} if told else job.activity
    return _progress_records(job, event, stage)


def _take_progress(stage: Stage, progress: float, event: Event) -> None:
    """A stage that reports progress runs, though its start was not reported; one that has ended stays as it ended."""
    if stage.status is StageStatus.PENDING:
        stage.status, stage.started_at = StageStatus.RUNNING, event.time
    _take_figures(stage, event.data)
    if stage.status is StageStatus.RUNNING:
        stage.progress = progress


def _reported_progress(job: Job, stage: Stage | None, data: Json) -> float:
    if data.get("progress") is not None:
        return float(data["progress"])
    total = data.get("totalRecords") or (stage and stage.total_records) or job.total_records
    if total:
        return min(100.0, 100.0 * float(data["recordsProcessed"]) / float(total))
    return stage.progress if stage else job.own_progress


def _progress_records(job: Job, event: Event, stage: Stage | None) -> list[Record]:
    """Each update for `seconds`, and the last of each minute for `minutes`."""
    shown = _shown_progress(job, event.data, stage)
    closed = progress_minutes.add(job, stage.name if stage else None, event.time, shown)
    return [*closed, Record(Family.PROGRESS, event.time, job.sequence, {**shown, "data": event.data})]


def _shown_progress(job: Job, data: Json, stage: Stage | None) -> Json:
    shown = {
        "stage": stage.name if stage else None,
        "progress": stage.progress if stage else job.own_progress,
        "operation": data.get("operation"),
        "records": data.get("recordsProcessed"),
        "total": (stage and stage.total_records) or job.total_records,
    }
    return {name: value for name, value in shown.items() if value is not None}


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
    return rollups.add(job, event.time, event.data)


def _quality(job: Job, event: Event) -> list[Record]:
    job.quality |= {name: value for name, value in event.data.items() if value is not None}
    return []


def _note(job: Job, event: Event) -> list[Record]:
    if event.type == "warning":
        job.warnings += 1
    elif event.type == "error":
        job.errors += 1
    return [_entry(job, event)]


def _entry(job: Job, event: Event, expected: tuple[float, float] | None = None) -> Record:
    """What the timeline shows; `expected` is the range of seconds that was expected when it began."""
    body = {"type": event.type, "data": event.data} | ({"expected": expected} if expected else {})
    return Record(Family.EVENT, event.time, job.sequence, body)


def _nothing(job: Job, event: Event) -> list[Record]:
    return []


def _kept(job: Job, event: Event) -> list[Record]:
    return [_entry(job, event)]


_ACTIONS: dict[str, Callable[[Job, Event], list[Record]]] = {
    "jobQueued": _kept,
    "jobStarted": _job_started,
    "stageStarted": _stage_started,
    "stageCompleted": _stage_ended,
    "stageFailed": _stage_ended,
    "stageSkipped": _stage_ended,
    "progressUpdate": _progress,
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
