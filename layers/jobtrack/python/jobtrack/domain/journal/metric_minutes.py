"""Metric samples, summed up as they come: per minute for the history, and over the job for means and peaks.

A minute is named by its end and holds the samples of (end - 60 s, end]. Its figures are sums and counts, so that two
rollups of one minute (a late sample makes a second) add up to what one would have been.
"""

from jobtrack import times
from jobtrack.domain.job import Job, Json
from jobtrack.domain.journal.journal import Family, Record

SUMMED = ("cpuUsage", "memoryBytes", "recordsPerSecond")
"""The figures that have a history."""


def minute_end(moment: int) -> int:
    """The end of the minute that a moment belongs to (µs)."""
    return -(-moment // times.MINUTE) * times.MINUTE


def add(job: Job, moment: int, sample: Json) -> list[Record]:
    """Take one sample in; answers the record of what it closes: the minute before, or its own where it is late."""
    figures = {name: value for name, value in sample.items() if value is not None}
    _keep_last(job, moment, figures)
    summed = {name: figures[name] for name in SUMMED if name in figures}
    for name, value in summed.items():
        count, total, peak = job.usage.get(name, (0, 0, value))
        job.usage[name] = [count + 1, total + float(value), max(peak, value)]
    end = minute_end(moment)
    if job.minute and end < job.minute["end"]:
        return [_record(_summed_up(_empty(end), summed, job, moment))]
    closed = close(job) if job.minute and end > job.minute["end"] else []
    job.minute = _summed_up(job.minute or _empty(end), summed, job, moment)
    return closed


def _keep_last(job: Job, moment: int, figures: Json) -> None:
    """The last known of each figure; a late sample tells only what none had told before."""
    if moment >= job.sample.get("time", moment):
        job.sample = {**job.sample, **figures, "time": moment}
    else:
        job.sample = {**figures, **job.sample}


def close(job: Job) -> list[Record]:
    """End the open minute, if there is one."""
    closed = open_minute(job)
    job.minute = None
    return closed


def open_minute(job: Job) -> list[Record]:
    """What the journal does not hold yet."""
    return [_record(job.minute)] if job.minute else []


def _empty(end: int) -> Json:
    return {"end": end, "last": end - times.MINUTE, "figures": {}}


def _record(minute: Json) -> Record:
    """`[stage, figures, microseconds from the last sample to the end]`."""
    body = [minute["stage"], minute["figures"], minute["end"] - minute["last"]]
    return Record(Family.METRIC_MINUTE, minute["end"], minute["sequence"], body)


def _summed_up(minute: Json, summed: Json, job: Job, moment: int) -> Json:
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
    """The mean of a figure over the job's samples."""
    count, total, _ = job.usage.get(name, (0, 0, 0))
    return total / count if count else None


def peak_usage(job: Job, name: str) -> float | None:
    """The greatest of a figure over the job's samples."""
    return job.usage[name][2] if name in job.usage else None


def throughput(job: Job) -> float | None:
    """Records a second of an ended job: the mean of its samples, else the most records of a stage over its duration."""
    if (sampled := mean_usage(job, "recordsPerSecond")) is not None:
        return sampled
    records = max((stage.records for stage in job.stages if stage.records is not None), default=None)
    if records is None or job.started_at is None or job.ended_at is None or job.ended_at <= job.started_at:
        return None
    return records / ((job.ended_at - job.started_at) / times.SECOND)
