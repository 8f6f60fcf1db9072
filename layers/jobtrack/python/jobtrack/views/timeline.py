"""`GET …/timeline`."""

from collections.abc import Callable, Iterable, Sequence

import orjson

from jobtrack import limits, times
from jobtrack.domain import event_text, formats
from jobtrack.domain.estimate import estimate
from jobtrack.domain.job import Job, Json, StageStatus
from jobtrack.domain.journal.journal import Family, Record
from jobtrack.views.progress import whole_percentage

_SUB_EVENTS = {Family.WARN: "Warning", Family.ERROR: "Error"}


def timeline(job: Job, granularity: str, entries: Sequence[Json], cursor: str | None, language: str, now: int) -> Json:
    """The answer for a page of entries at `now` (µs)."""
    return {
        "jobId": job.job_id,
        "jobName": job.name,
        "timelineScope": {
            "startTime": _time(job.started_at),
            "currentTime": times.render(times.whole(now)),
            "endTime": _time(job.ended_at),
            "granularity": granularity,
        },
        "timeline": entries,
        "upcomingEvents": upcoming(job, language, now),
        "nextCursor": cursor,
        "lastSequence": job.sequence,
    }


def upcoming(job: Job, language: str, now: int) -> list[Json]:
    """What is expected, by the estimate that `progress` shows: of unknown time nothing.

    What runs completes, what is pending starts, the job completes; that a stage completes which has not started is told
    by what follows it.
    """
    expected = estimate(job, now)
    found: list[tuple[int | None, str, Json, dict[str, str] | None]] = []
    for stage in job.stages:
        if estimated := expected.stages.get(stage.name):
            runs = stage.status is StageStatus.RUNNING
            moment, kind = (estimated.end, "stageCompletion") if runs else (estimated.start, "stageStart")
            found.append((moment, kind, {"stageName": stage.name}, stage.labels))
    if not job.status.ended:
        found.append((expected.completion, "jobCompletion", {}, None))
    known = sorted((each for each in found if each[0] is not None), key=lambda each: (each[0], _ORDER.index(each[1])))
    return [
        _expected(moment, kind, event_text.describe(kind, language, data, labels))
        for moment, kind, data, labels in known
    ]


_ORDER = ("stageCompletion", "stageStart", "jobCompletion")


def _expected(moment: int | None, kind: str, description: str) -> Json:
    return {"estimatedTime": _time(moment), "eventType": _capital(kind), "description": description}


def entry(job: Job, record: Record, language: str) -> Json:
    """One event, told in a language."""
    if record.family in _SUB_EVENTS:
        kind, description, details = _log(record, language)
    elif record.family is Family.EVENT:
        kind, description, details = _event(job, record, language)
    else:
        kind, description, details = _progress(job, record, language)
    return {
        "timestamp": times.render(record.time),
        "eventType": kind,
        "description": description,
        "details": details,
        "sequence": record.sequence,
    }


def fitting(entries: Iterable[Json]) -> list[Json]:
    """As many of the entries as an answer of Lambda's can hold; at least one."""
    size = 0
    kept: list[Json] = []
    for each in entries:
        body = orjson.dumps(each)
        size += len(body) + body.count(b'"') + body.count(b"\\") + 1
        if kept and size > limits.ANSWER_BYTES:
            break
        kept.append(each)
    return kept


def _log(record: Record, language: str) -> tuple[str, str, Json]:
    """A line of WARN or above: its message describes it."""
    message, component, stage, details = [*record.body, None, None, None][:4]
    told = {"level": record.family.name, "component": component, "stage": stage, "details": details}
    return _SUB_EVENTS[record.family], event_text.describe("log", language, {"message": message}), told


def _progress(job: Job, record: Record, language: str) -> tuple[str, str, Json]:
    """`remainingRecords` are those of the total, where both are known."""
    name, done, total = (record.body.get(each) for each in ("stage", "records", "total"))
    progress = whole_percentage(record.body["progress"])
    description = event_text.describe(
        "progressUpdate", language, {"stageName": name, "progress": progress}, _labels(job, name)
    )
    details = {
        "stageName": name,
        "progress": progress,
        "currentOperation": record.body.get("operation"),
        "recordsProcessed": done,
        "remainingRecords": None if done is None or total is None else max(0, total - done),
    }
    return "Progress", description, details


def _event(job: Job, record: Record, language: str) -> tuple[str, str, Json]:
    kind, data = record.body["type"], record.body["data"]
    description = event_text.describe(kind, language, data, _labels(job, data.get("stageName")))
    return _capital(kind), description, _DETAILS.get(kind, _as_reported)(job, record.body)


def _as_reported(job: Job, body: Json) -> Json:
    reported: Json = body["data"]
    return reported


def _job_queued(job: Job, body: Json) -> Json:
    return {"submittedBy": job.submitted_by, "priority": job.priority}


def _job_started(job: Job, body: Json) -> Json:
    """`estimatedDuration` is what was expected at the start: P25 to P75."""
    allocated = body["data"].get("resourcesAllocated")
    own = {
        **_job_queued(job, body),
        "estimatedDuration": _expected_duration(body),
        "resourcesAllocated": allocated and _with({"cpuUnits": None, "memoryGB": None, "workerNode": None} | allocated),
    }
    return _with(own, body["data"])


def _stage_started(job: Job, body: Json) -> Json:
    """`expectedDuration` is what was expected at its start: P25 to P75."""
    own = {"stageName": body["data"]["stageName"], "expectedDuration": _expected_duration(body)}
    return _with(own, *_flattened(body["data"], "metrics"))


def _stage_ended(job: Job, body: Json) -> Json:
    seconds = body.get("seconds")
    own = {
        "stageName": body["data"]["stageName"],
        "actualDuration": None if seconds is None else formats.duration(seconds),
    }
    return _with(own, *_flattened(body["data"], "metrics"))


def _note(job: Job, body: Json) -> Json:
    """The description has a place of its own."""
    told = {name: value for name, value in body["data"].items() if name != "description"}
    return _with({}, *_flattened(told, "details"))


_DETAILS: dict[str, Callable[[Job, Json], Json]] = {
    "jobQueued": _job_queued,
    "jobStarted": _job_started,
    "stageStarted": _stage_started,
    "stageCompleted": _stage_ended,
    "stageFailed": _stage_ended,
    "stageSkipped": _stage_ended,
    "milestone": _note,
    "warning": _note,
    "error": _note,
}


def _expected_duration(body: Json) -> str | None:
    return formats.time_range(*body["expected"]) if "expected" in body else None


def _flattened(data: Json, name: str) -> tuple[Json, Json]:
    """The members of one member, then the others."""
    return data.get(name) or {}, {key: value for key, value in data.items() if key != name}


def _with(own: Json, *reported: Json) -> Json:
    """Our own members, then what was reported under other names; of the same name the later wins."""
    told: Json = {}
    for part in reported:
        told |= {name: value for name, value in part.items() if value is not None and name not in own}
    return own | told


def _labels(job: Job, name: str | None) -> dict[str, str] | None:
    stage = None if name is None else job.stage(name)
    return stage.labels if stage else None


def _capital(kind: str) -> str:
    return kind[0].upper() + kind[1:]


def _time(moment: int | None) -> str | None:
    return None if moment is None else times.render(moment)
