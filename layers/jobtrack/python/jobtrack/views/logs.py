"""`GET …/job/{jobId}/logs`."""

from collections.abc import Sequence

from jobtrack import times
from jobtrack.domain.estimate import estimate
from jobtrack.domain.job import Job
from jobtrack.domain.journal.chunks import kinds
from jobtrack.domain.journal.journal import Journal
from jobtrack.domain.journal.records import LEVELS, Family, LogLevel, Record
from jobtrack.times import Micros
from jobtrack.views.page_size import take_fitting
from jobtrack.views.progress import completion, whole_percentage
from jobtrack.views.responses.logs import ExecutionMetrics, LogEntry, Logs, LogsSummary, TimeRange
from jobtrack.views.usage import cpu, memory, processing_rate

_LEVEL_NAMES: dict[Family, LogLevel] = {
    Family.DEBUG: "DEBUG",
    Family.INFO: "INFO",
    Family.WARN: "WARN",
    Family.ERROR: "ERROR",
}


def logs(job: Job, journal: Journal, lines: list[LogEntry], cursor: str | None, sequence: int, now: Micros) -> Logs:
    """Return the response for a page of log lines at `now` (µs); to follow the log, clients go on from `sequence`."""
    return {
        "jobId": job.job_id,
        "jobName": job.name,
        "jobStatus": job.status,
        "logsSummary": summary(journal),
        "logs": lines,
        "nextCursor": cursor,
        "lastSequence": sequence,
        "executionMetrics": execution_metrics(job, now),
    }


def entry(record: Record) -> LogEntry:
    """Return one log line."""
    message, component, stage, details = [*record.body, None, None, None][:4]
    return {
        "timestamp": times.render(record.time),
        "level": _LEVEL_NAMES[record.family],
        "component": component,
        "stage": stage,
        "message": message,
        "details": details,
        "sequence": record.sequence,
    }


def summary(journal: Journal) -> LogsSummary:
    """Return the counts of all log lines of the job, and the times of the first and the last."""
    return {
        "totalEntries": sum(journal.count(level) for level in LEVELS),
        "debugEntries": journal.count(Family.DEBUG),
        "infoEntries": journal.count(Family.INFO),
        "warnEntries": journal.count(Family.WARN),
        "errorEntries": journal.count(Family.ERROR),
        "timeRange": _time_range(journal),
    }


def execution_metrics(job: Job, now: Micros) -> ExecutionMetrics:
    """Return the current state of the job at `now` (µs)."""
    running_stage = job.running_stage
    return {
        "currentStage": running_stage.name if running_stage else None,
        "stageProgress": whole_percentage(running_stage.progress) if running_stage else None,
        "overallProgress": job.percentage,
        **processing_rate(job),
        **memory(job),
        "cpuUsage": cpu(job),
        "estimatedCompletion": completion(job, estimate(job, now)),
    }


def _time_range(journal: Journal) -> TimeRange:
    shelves = [journal.directory[kind] for level in LEVELS for kind in kinds(level) if kind in journal.directory]
    open_times = [record.time for record in journal.tail if record.family in LEVELS]
    first = min([*(shelf.first for shelf in shelves), *open_times], default=None)
    last = max([*(shelf.last for shelf in shelves), *open_times], default=None)
    return {
        "startTime": times.render_optional(first),
        "endTime": times.render_optional(last),
    }


def levels_from(level: LogLevel) -> tuple[Family, ...]:
    """Return the severities from the given one upwards."""
    return LEVELS[LEVELS.index(Family[level]) :]


def take_fitting_lines(records: Sequence[Record], backward: bool) -> list[LogEntry]:
    """Return the log lines that fit into a response: the last ones of a backward page, else the first ones."""
    lines = take_fitting(entry(record) for record in (reversed(records) if backward else records))
    return lines[::-1] if backward else lines
