"""`GET …/job/{jobId}/timeline`."""

from collections.abc import Callable, Iterator, Sequence

from jobtrack import times
from jobtrack.domain import event_text, formats
from jobtrack.domain.estimate import estimate
from jobtrack.domain.event_text import Language
from jobtrack.domain.job import Job, Json, Stage, StageStatus
from jobtrack.domain.journal.records import Family, Record
from jobtrack.domain.timeline import Granularity
from jobtrack.times import Micros
from jobtrack.views.progress import whole_percentage
from jobtrack.views.responses.timeline import Timeline, TimelineEvent, UpcomingEvent, UpcomingType

_SUB_EVENTS = {Family.WARN: "Warning", Family.ERROR: "Error"}


def timeline(
    job: Job,
    granularity: Granularity,
    events: Sequence[TimelineEvent],
    cursor: str | None,
    language: Language,
    now: Micros,
) -> Timeline:
    """Return the response for a page of events at `now` (µs)."""
    return {
        "jobId": job.job_id,
        "jobName": job.name,
        "timelineScope": {
            "startTime": times.render_optional(job.started_at),
            "currentTime": times.render(times.whole(now)),
            "endTime": times.render_optional(job.ended_at),
            "granularity": granularity,
        },
        "timeline": list(events),
        "upcomingEvents": upcoming(job, language, now),
        "nextCursor": cursor,
        "lastSequence": job.sequence,
    }


def upcoming(job: Job, language: Language, now: Micros) -> list[UpcomingEvent]:
    """Return the expected events whose times can be estimated at `now` (µs), in order of time.

    Running stages are expected to complete, pending stages to start, and the job to complete. The completion of a
    pending stage is not listed: the start of the next stage implies it.
    """
    expected = [(moment, kind, stage) for moment, kind, stage in _expected(job, now) if moment is not None]
    expected.sort(key=lambda event: (event[0], _ORDER.index(event[1])))
    return [_upcoming(moment, kind, stage, language) for moment, kind, stage in expected]


_ORDER: tuple[UpcomingType, ...] = ("StageCompletion", "StageStart", "JobCompletion")
"""The order of expected events at the same time."""


def _expected(job: Job, now: Micros) -> Iterator[tuple[Micros | None, UpcomingType, Stage | None]]:
    estimated = estimate(job, now)
    for stage in job.stages:
        if stage.name in estimated.stages:
            moments = estimated.stages[stage.name]
            if stage.status is StageStatus.RUNNING:
                yield moments.end, "StageCompletion", stage
            else:
                yield moments.start, "StageStart", stage
    if not job.status.ended:
        yield estimated.completion, "JobCompletion", None


def _upcoming(moment: Micros, kind: UpcomingType, stage: Stage | None, language: Language) -> UpcomingEvent:
    data, labels = ({"stageName": stage.name}, stage.labels) if stage else ({}, None)
    description = event_text.describe(kind[0].lower() + kind[1:], language, data, labels)
    return {"estimatedTime": times.render(moment), "eventType": kind, "description": description}


def entry(job: Job, record: Record, language: Language) -> TimelineEvent:
    """Return one event, described in a language."""
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


def _log(record: Record, language: Language) -> tuple[str, str, Json]:
    """Return type, description and details of a log line of WARN or above; its message is the description."""
    message, component, stage, more = [*record.body, None, None, None][:4]
    details = {"level": record.family.name, "component": component, "stage": stage, "details": more}
    return _SUB_EVENTS[record.family], event_text.describe("log", language, {"message": message}), details


def _progress(job: Job, record: Record, language: Language) -> tuple[str, str, Json]:
    """Return type, description and details of a progress report."""
    stage_name, done, total = (record.body.get(name) for name in ("stage", "records", "total"))
    progress = whole_percentage(record.body["progress"])
    data = {"stageName": stage_name, "progress": progress}
    details = {
        **data,
        "currentOperation": record.body.get("operation"),
        "recordsProcessed": done,
        "remainingRecords": None if done is None or total is None else max(0, total - done),
    }
    return "Progress", event_text.describe("progressUpdate", language, data, _labels(job, stage_name)), details


def _event(job: Job, record: Record, language: Language) -> tuple[str, str, Json]:
    """Return type, description and details of any other reported event."""
    kind, data = record.body["type"], record.body["data"]
    description = event_text.describe(kind, language, data, _labels(job, data.get("stageName")))
    return kind[0].upper() + kind[1:], description, _DETAILS.get(kind, _reported_details)(job, record.body)


def _reported_details(job: Job, body: Json) -> Json:
    data: Json = body["data"]
    return data


def _queued_details(job: Job, body: Json) -> Json:
    return {"submittedBy": job.submitted_by, "priority": job.priority}


def _started_details(job: Job, body: Json) -> Json:
    allocated = body["data"].get("resourcesAllocated")
    own = {
        **_queued_details(job, body),
        "estimatedDuration": _expected_duration(body),
        "resourcesAllocated": allocated and {"cpuUnits": None, "memoryGB": None, "workerNode": None} | allocated,
    }
    return _merge(own, body["data"])


def _stage_start_details(job: Job, body: Json) -> Json:
    own = {"stageName": body["data"]["stageName"], "expectedDuration": _expected_duration(body)}
    return _merge(own, *_flatten(body["data"], "metrics"))


def _stage_end_details(job: Job, body: Json) -> Json:
    seconds = body.get("seconds")
    own = {
        "stageName": body["data"]["stageName"],
        "actualDuration": None if seconds is None else formats.duration(seconds),
    }
    return _merge(own, *_flatten(body["data"], "metrics"))


def _note_details(job: Job, body: Json) -> Json:
    """Return the details of a note. Its description is a member of the event itself."""
    data = {name: value for name, value in body["data"].items() if name != "description"}
    return _merge({}, *_flatten(data, "details"))


_DETAILS: dict[str, Callable[[Job, Json], Json]] = {
    "jobQueued": _queued_details,
    "jobStarted": _started_details,
    "stageStarted": _stage_start_details,
    "stageCompleted": _stage_end_details,
    "stageFailed": _stage_end_details,
    "stageSkipped": _stage_end_details,
    "milestone": _note_details,
    "warning": _note_details,
    "error": _note_details,
}


def _expected_duration(body: Json) -> str | None:
    """Return the duration that was expected at the start: the range from P25 to P75 of past durations."""
    return formats.time_range(*body["expected"]) if "expected" in body else None


def _flatten(data: Json, name: str) -> tuple[Json, Json]:
    """Return the members of the member `name`, and the other members of `data`."""
    return data.get(name) or {}, {key: value for key, value in data.items() if key != name}


def _merge(own: Json, *reported: Json) -> Json:
    """Return our own members, then reported members with other names; later parts replace earlier ones."""
    merged: Json = {}
    for part in reported:
        merged |= {name: value for name, value in part.items() if value is not None and name not in own}
    return own | merged


def _labels(job: Job, stage_name: str | None) -> dict[str, str] | None:
    stage = None if stage_name is None else job.stage(stage_name)
    return stage.labels if stage else None
