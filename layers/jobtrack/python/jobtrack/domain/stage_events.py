"""What events do to the stages of their job."""

from jobtrack.domain.estimate import expected_range
from jobtrack.domain.events import Event, entry
from jobtrack.domain.job import Job, Json, Stage, StageStatus
from jobtrack.domain.journal import progress_minutes
from jobtrack.domain.journal.journal import Family, Record


def stage_started(job: Job, event: Event) -> list[Record]:
    """Run the stage: for the first time, or as a retry once it had ended."""
    stage = _planned(job, event.data["stageName"])
    if stage.status is not StageStatus.RUNNING:
        stage.status, stage.started_at, stage.ended_at = StageStatus.RUNNING, event.time, None
        stage.progress, stage.records, stage.error, stage.error_at = 0.0, None, None, None
    _take_figures(stage, event.data)
    return [entry(job, event, expected_range(stage))]


def stage_ended(job: Job, event: Event) -> list[Record]:
    """End the stage, started or not."""
    stage = _planned(job, event.data["stageName"])
    end_stage(stage, _STAGE_ENDS[event.type], event.time)
    _take_figures(stage, event.data)
    stage.error = event.data.get("error")
    stage.error_at = job.sequence if stage.error else None
    took = {"seconds": stage.seconds} if stage.seconds is not None else {}
    body = {"type": event.type, "data": event.data, **took}
    return [*progress_minutes.close_stage(job, stage.name), Record(Family.EVENT, event.time, job.sequence, body)]


_STAGE_ENDS = {
    "stageCompleted": StageStatus.COMPLETED,
    "stageFailed": StageStatus.FAILED,
    "stageSkipped": StageStatus.SKIPPED,
}


def end_stage(stage: Stage, status: StageStatus, time: int) -> None:
    """End a stage at a time (µs), though never before its start."""
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


def progress(job: Job, event: Event) -> list[Record]:
    """Note how far the stage named has come, else the running one, else the whole job."""
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
