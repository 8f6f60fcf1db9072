"""The sums of metric samples: by minute for the history, and of the whole job for means and peaks.

A minute is identified by its end and has the samples of (end - 60 s, end]. It has sums and counts, so that two records
of one minute can be added. A late sample makes a second record of its minute.
"""

from jobtrack import times
from jobtrack.domain.job import Job, Json
from jobtrack.domain.journal.records import Family, Record
from jobtrack.times import Micros

SUMMED = ("cpuUsage", "memoryBytes", "recordsPerSecond")
"""The metrics that have a history."""


def minute_end(moment: Micros) -> int:
    """Return the end of the minute that a point in time belongs to."""
    return -(-moment // times.MINUTE) * times.MINUTE


def add(job: Job, moment: Micros, sample: Json) -> list[Record]:
    """Add a sample. Return the record of the minute that it completes, or its own record if it is late."""
    figures = {name: value for name, value in sample.items() if value is not None}
    _set_last(job, moment, figures)
    summed = {name: figures[name] for name in SUMMED if name in figures}
    for name, value in summed.items():
        count, total, peak = job.usage.get(name, (0, 0, value))
        job.usage[name] = [count + 1, total + float(value), max(peak, value)]
    end = minute_end(moment)
    if job.minute and end < job.minute["end"]:
        return [_record(_add_to_minute(_empty(end), summed, job, moment))]
    closed = close(job) if job.minute and end > job.minute["end"] else []
    job.minute = _add_to_minute(job.minute or _empty(end), summed, job, moment)
    return closed


def _set_last(job: Job, moment: Micros, figures: Json) -> None:
    """Keep the last value of each metric; a late sample adds only metrics that had no value."""
    if moment >= job.sample.get("time", moment):
        job.sample = {**job.sample, **figures, "time": moment}
    else:
        job.sample = {**figures, **job.sample}


def close(job: Job) -> list[Record]:
    """Complete the open minute, if there is one, and return its record."""
    closed = open_minute(job)
    job.minute = None
    return closed


def open_minute(job: Job) -> list[Record]:
    """Return the record of the open minute, which is not in the journal yet."""
    return [_record(job.minute)] if job.minute else []


def _empty(end: int) -> Json:
    return {"end": end, "last": end - times.MINUTE, "figures": {}}


def _record(minute: Json) -> Record:
    """The body is `[stage, figures, microseconds from the last sample to the end]`."""
    body = [minute["stage"], minute["figures"], minute["end"] - minute["last"]]
    return Record(Family.METRIC_MINUTE, minute["end"], minute["sequence"], body)


def _add_to_minute(minute: Json, summed: Json, job: Job, moment: Micros) -> Json:
    figures = dict(minute["figures"])
    for name, value in summed.items():
        count, total = figures.get(name, (0, 0))
        figures[name] = [count + 1, total + float(value)]
    minute = {**minute, "sequence": job.sequence, "figures": figures}
    if moment < minute["last"]:
        return minute
    stage = job.running_stage
    return {**minute, "last": moment, "stage": stage.name if stage else None}


def mean_usage(job: Job, name: str) -> float | None:
    """Return the mean of a metric over all samples of the job."""
    count, total, _ = job.usage.get(name, (0, 0, 0))
    return total / count if count else None


def peak_usage(job: Job, name: str) -> float | None:
    """Return the maximum of a metric in all samples of the job."""
    return job.usage[name][2] if name in job.usage else None


def throughput(job: Job) -> float | None:
    """Return the records per second of an ended job.

    It is the mean of the samples, else the greatest number of records of a stage, divided by the duration of the job.
    """
    if (sampled := mean_usage(job, "recordsPerSecond")) is not None:
        return sampled
    records = max((stage.records for stage in job.stages if stage.records is not None), default=None)
    if records is None or job.started_at is None or job.ended_at is None or job.ended_at <= job.started_at:
        return None
    return records / times.seconds_between(job.started_at, job.ended_at)
