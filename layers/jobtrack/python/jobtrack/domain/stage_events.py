"""What happens when a stage starts, reports progress, or ends."""

from jobtrack.domain.estimate import expected_range
from jobtrack.domain.events import Event, timeline_record
from jobtrack.domain.job import Job, Json, Stage, StageStatus
from jobtrack.domain.journal import progress_minutes
from jobtrack.domain.journal.records import Family, Record
from jobtrack.times import Micros

_STATUS_AFTER = {
    "stageCompleted": StageStatus.COMPLETED,
    "stageFailed": StageStatus.FAILED,
    "stageSkipped": StageStatus.SKIPPED,
}


def start_stage(job: Job, event: Event) -> list[Record]:
    """Start a stage, or start it again after it has ended. Return the records for the journal."""
    stage = _find_or_add_stage(job, event.data["stageName"])
    if stage.status is not StageStatus.RUNNING:
        stage.status, stage.started_at, stage.ended_at = StageStatus.RUNNING, event.time, None
        stage.progress, stage.records, stage.error, stage.error_at = 0.0, None, None, None
    _set_figures(stage, event.data)
    return [timeline_record(job, event, expected_range(stage))]


def end_stage(job: Job, event: Event) -> list[Record]:
    """End a stage, whether or not its start was reported. Return the records for the journal."""
    stage = _find_or_add_stage(job, event.data["stageName"])
    set_stage_ended(stage, _STATUS_AFTER[event.type], event.time)
    _set_figures(stage, event.data)
    stage.error = event.data.get("error")
    stage.error_at = job.sequence if stage.error else None
    duration = {"seconds": stage.seconds} if stage.seconds is not None else {}
    body = {"type": event.type, "data": event.data, **duration}
    return [*progress_minutes.close_stage(job, stage.name), Record(Family.EVENT, event.time, job.sequence, body)]


def set_stage_ended(stage: Stage, status: StageStatus, time: Micros) -> None:
    """Set status and end of a stage. The end is never before the start; a skipped stage may have neither."""
    stage.status = status
    if status is StageStatus.COMPLETED:
        stage.progress = 100.0
    if status is not StageStatus.SKIPPED:
        stage.started_at = time if stage.started_at is None else stage.started_at
    if stage.started_at is not None:
        stage.ended_at = max(time, stage.started_at)


def update_progress(job: Job, event: Event) -> list[Record]:
    """Set the progress of the named stage, else of the running stage, else of the whole job. Return the records."""
    data = event.data
    name = data.get("stageName")
    stage = job.running_stage if name is None else _find_or_add_stage(job, name)
    progress = _reported_progress(job, stage, data)
    if stage is None:
        job.own_progress = progress
        job.records = _reported_count(data, "recordsProcessed", job.records)
        job.total_records = _reported_count(data, "totalRecords", job.total_records)
    else:
        _set_progress(stage, progress, event)
    activity = {name: data[name] for name in ("component", "operation", "details") if data.get(name) is not None}
    job.activity = {**(job.activity or {}), **activity} if activity else job.activity
    return _progress_records(job, event, stage)


def _find_or_add_stage(job: Job, name: str) -> Stage:
    stage = job.stage(name)
    if stage is None:
        stage = Stage(name)
        job.stages.append(stage)
    return stage


def _set_figures(stage: Stage, data: Json) -> None:
    stage.records = _reported_count(data, "recordsProcessed", stage.records)
    stage.total_records = _reported_count(data, "totalRecords", stage.total_records)
    if metrics := data.get("metrics"):
        stage.metrics = {**(stage.metrics or {}), **metrics}


def _reported_count(data: Json, name: str, default: int | None) -> int | None:
    value: int | None = data.get(name)
    return default if value is None else value


def _set_progress(stage: Stage, progress: float, event: Event) -> None:
    """Set the progress. A pending stage starts, since its start was not reported; an ended stage does not change."""
    if stage.status is StageStatus.PENDING:
        stage.status, stage.started_at = StageStatus.RUNNING, event.time
    _set_figures(stage, event.data)
    if stage.status is StageStatus.RUNNING:
        stage.progress = progress


def _reported_progress(job: Job, stage: Stage | None, data: Json) -> float:
    """Return the reported per cent, else the share of the records that are processed, else the progress so far."""
    if data.get("progress") is not None:
        return float(data["progress"])
    total = data.get("totalRecords") or (stage and stage.total_records) or job.total_records
    if total:
        return min(100.0, 100.0 * float(data["recordsProcessed"]) / float(total))
    return stage.progress if stage else job.own_progress


def _progress_records(job: Job, event: Event, stage: Stage | None) -> list[Record]:
    """Return the update (for timelines by `seconds`), and the minute that it completes (for timelines by `minutes`)."""
    body = _progress_body(job, event.data, stage)
    closed = progress_minutes.add(job, stage.name if stage else None, event.time, body)
    return [*closed, Record(Family.PROGRESS, event.time, job.sequence, {**body, "data": event.data})]


def _progress_body(job: Job, data: Json, stage: Stage | None) -> Json:
    body = {
        "stage": stage.name if stage else None,
        "progress": stage.progress if stage else job.own_progress,
        "operation": data.get("operation"),
        "records": data.get("recordsProcessed"),
        "total": (stage and stage.total_records) or job.total_records,
    }
    return {name: value for name, value in body.items() if value is not None}
