"""`GET …/logs`."""

from collections.abc import Sequence

import orjson

from jobtrack import limits, times
from jobtrack.domain.estimate import estimate
from jobtrack.domain.job import Job, Json
from jobtrack.domain.journal.journal import LEVELS, Family, Journal, Record, kinds
from jobtrack.views.progress import completion, whole_percentage
from jobtrack.views.usage import cpu, memory, processing_rate

_ENTRY_BYTES = 190
"""What an entry takes beside its body, at most, as text in Lambda's answer."""


def logs(job: Job, journal: Journal, entries: Sequence[Json], cursor: str | None, sequence: int, now: int) -> Json:
    """The answer for a page of entries at `now` (µs); `sequence` is the one to follow from."""
    return {
        "jobId": job.job_id,
        "jobName": job.name,
        "jobStatus": job.status,
        "logsSummary": summary(journal),
        "logs": entries,
        "nextCursor": cursor,
        "lastSequence": sequence,
        "executionMetrics": execution_metrics(job, now),
    }


def entry(record: Record) -> Json:
    """One log line."""
    message, component, stage, details = [*record.body, None, None, None][:4]
    return {
        "timestamp": times.render(record.time),
        "level": record.family.name,
        "component": component,
        "stage": stage,
        "message": message,
        "details": details,
        "sequence": record.sequence,
    }


def summary(journal: Journal) -> Json:
    """Counts of the whole job's log lines, and the times of the first and the last."""
    counts = {f"{level.name.lower()}Entries": journal.count(level) for level in LEVELS}
    first, last = _time_range(journal)
    return {
        "totalEntries": sum(counts.values()),
        **counts,
        "timeRange": {
            "startTime": None if first is None else times.render(first),
            "endTime": None if last is None else times.render(last),
        },
    }


def execution_metrics(job: Job, now: int) -> Json:
    """The job's present state."""
    running = job.running_stage
    return {
        "currentStage": running.name if running else None,
        "stageProgress": whole_percentage(running.progress) if running else None,
        "overallProgress": job.percentage,
        **processing_rate(job),
        **memory(job),
        "cpuUsage": cpu(job),
        "estimatedCompletion": completion(job, estimate(job, now)),
    }


def _time_range(journal: Journal) -> tuple[int | None, int | None]:
    shelves = [journal.directory[kind] for level in LEVELS for kind in kinds(level) if kind in journal.directory]
    open_times = [record.time for record in journal.tail if record.family in LEVELS]
    first = min([*(shelf.first for shelf in shelves), *open_times], default=None)
    last = max([*(shelf.last for shelf in shelves), *open_times], default=None)
    return first, last


def levels_from(level: str) -> tuple[Family, ...]:
    """The severities from the least one asked for."""
    return LEVELS[LEVELS.index(Family[level]) :]


def fitting(records: Sequence[Record], backward: bool) -> Sequence[Record]:
    """As many of the page's records, from where the walk began, as an answer of Lambda's can hold; at least one."""
    size, count = 0, 0
    for record in reversed(records) if backward else records:
        size += _size_as_text(orjson.dumps(record.body)) + _ENTRY_BYTES
        if count and size > limits.ANSWER_BYTES:
            break
        count += 1
    return records[len(records) - count :] if backward else records[:count]


def _size_as_text(body: bytes) -> int:
    """What the JSON takes as a string in Lambda's answer, which is JSON itself."""
    return len(body) + body.count(b'"') + body.count(b"\\")
