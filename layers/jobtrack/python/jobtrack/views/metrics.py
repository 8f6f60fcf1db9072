"""`GET …/metrics`."""

from collections.abc import Collection, Sequence
from typing import Literal, get_args

from jobtrack import times
from jobtrack.domain import formats
from jobtrack.domain.estimate import total_seconds
from jobtrack.domain.job import Job, JobStatus, StageStatus
from jobtrack.domain.journal import metric_minutes
from jobtrack.domain.journal.metric_history import Bucket
from jobtrack.times import Micros
from jobtrack.views import efficiency
from jobtrack.views.responses import metrics as responses
from jobtrack.views.responses.metrics import (
    Benchmarks,
    Cpu,
    CurrentMetrics,
    Direction,
    Disk,
    GroupTrends,
    Memory,
    Metrics,
    Network,
    Processing,
    StageCounts,
    Utilization,
)
from jobtrack.views.usage import memory_limit

Group = Literal["cpu", "memory", "disk", "network", "throughput"]
GROUPS: tuple[Group, ...] = get_args(Group)
"""What the query parameter `metrics` may name."""

_GIGABYTE = 1024**3
_STABLE_SHARE = 0.075


def metrics(
    job: Job, newest: Sequence[Bucket], include_history: bool, groups: Collection[Group], now: Micros
) -> Metrics:
    """Return the response at `now` (µs) for some groups; `newest` has the last two buckets, or all of the history."""
    return {
        "jobId": job.job_id,
        "metricsCollectionTime": times.render(times.whole(now)),
        "currentMetrics": _current(job, groups),
        "historicalMetrics": history(newest, groups) if include_history else [],
        "performanceTrends": {
            **trends(newest, groups),
            "overallEfficiency": efficiency.overall(job),
            "predictionAccuracy": _number(efficiency.prediction(job, now), 1),
        },
        "benchmarks": benchmarks(job, now),
    }


def _current(job: Job, groups: Collection[Group]) -> CurrentMetrics:
    current: CurrentMetrics = {"resourceUtilization": _utilization(job, groups), "stages": _stages(job)}
    if "throughput" in groups:
        current["processing"] = _processing(job)
    return current


def _utilization(job: Job, groups: Collection[Group]) -> Utilization:
    utilization: Utilization = {}
    if "cpu" in groups:
        utilization["cpu"] = _cpu(job)
    if "memory" in groups:
        utilization["memory"] = _memory(job)
    if "disk" in groups:
        utilization["disk"] = _disk(job)
    if "network" in groups:
        utilization["network"] = _network(job)
    return utilization


def history(buckets: Sequence[Bucket], groups: Collection[Group]) -> list[responses.Bucket]:
    """Return the buckets that hold a figure of the groups, in order."""
    figures = {figure for group, figure in _FIGURES.items() if group in groups}
    return [_bucket(bucket, groups) for bucket in buckets if figures & bucket.figures.keys()]


_FIGURES: dict[Group, str] = {"cpu": "cpuUsage", "memory": "memoryBytes", "throughput": "recordsPerSecond"}
"""The figures that have a history, by group."""


def _bucket(bucket: Bucket, groups: Collection[Group]) -> responses.Bucket:
    means: responses.Bucket = {"timestamp": times.render(bucket.end), "stage": bucket.stage}
    if "cpu" in groups:
        means["cpu"] = _number(bucket.mean("cpuUsage"), 1)
    if "memory" in groups:
        mean = bucket.mean("memoryBytes")
        means["memory"] = None if mean is None else formats.number(mean / _GIGABYTE)
    if "throughput" in groups:
        means["recordsPerSecond"] = _number(bucket.mean("recordsPerSecond"))
    return means


def trends(newest: Sequence[Bucket], groups: Collection[Group]) -> GroupTrends:
    """Return how the figures of the last bucket compare with the bucket before; None if either has no figure."""
    trends: GroupTrends = {}
    if "cpu" in groups:
        trends["cpuTrend"] = _trend(newest, "cpuUsage", "Rising")
    if "memory" in groups:
        trends["memoryTrend"] = _trend(newest, "memoryBytes", "Rising")
    if "throughput" in groups:
        trends["throughputTrend"] = _trend(newest, "recordsPerSecond", "Improving")
    return trends


def _trend(newest: Sequence[Bucket], figure: str, up: Direction) -> Direction | None:
    means = [mean for bucket in newest[-2:] if (mean := bucket.mean(figure)) is not None]
    return trend(means[0], means[1], up) if len(means) == 2 else None


def trend(before: float, last: float, up: Direction = "Rising") -> Direction:
    """Return the direction of a change; up to 7.5 % it is Stable."""
    if abs(last - before) <= _STABLE_SHARE * before:
        return "Stable"
    return up if last > before else "Declining"


def benchmarks(job: Job, now: Micros) -> Benchmarks | None:
    """Return how the job's duration, estimated at `now` (µs), compares with completed jobs of its type.

    None if there are no such jobs. A job that failed or was cancelled has no rank: it would have taken longer.
    """
    past = job.past
    if past is None:
        return None
    unfit = job.status in (JobStatus.FAILED, JobStatus.CANCELLED)
    seconds = None if unfit else total_seconds(job, now)
    faster, similar, slower = (None, None, None) if seconds is None else past.compare(seconds)
    return {
        "jobType": job.type,
        "averageJobDuration": formats.mean_time(past.mean_seconds),
        "averageThroughput": None if past.mean_rate is None else formats.rate(past.mean_rate),
        "currentPerformanceRank": None if seconds is None else f"{formats.ordinal(past.rank(seconds))} percentile",
        "similarJobsComparison": {"fasterThan": faster, "similarTo": similar, "slowerThan": slower},
    }


def _cpu(job: Job) -> Cpu:
    return {
        "usage": _number(job.sample.get("cpuUsage"), 1),
        "cores": _number((job.allocated or {}).get("cpuUnits")),
        "efficiency": _number(efficiency.cpu(job), 1),
    }


def _memory(job: Job) -> Memory:
    return {
        "used": _size(job.sample.get("memoryBytes")),
        "allocated": _size(memory_limit(job)),
        "peak": _size(metric_minutes.peak_usage(job, "memoryBytes")),
        "efficiency": _number(efficiency.memory(job), 1),
    }


def _disk(job: Job) -> Disk:
    latency = job.sample.get("diskLatencyMs")
    return {
        "reads": _size(job.sample.get("diskReadBytes")),
        "writes": _size(job.sample.get("diskWriteBytes")),
        "iops": _number(job.sample.get("iops")),
        "latency": None if latency is None else formats.milliseconds(latency),
    }


def _network(job: Job) -> Network:
    return {
        "bytesIn": _size(job.sample.get("networkInBytes")),
        "bytesOut": _size(job.sample.get("networkOutBytes")),
        "connections": job.sample.get("connections"),
    }


def _processing(job: Job) -> Processing:
    done, total = _records(job)
    return {
        "recordsPerSecond": _number(job.sample.get("recordsPerSecond")),
        "recordsProcessed": done,
        "totalRecords": total,
        "processingEfficiency": _number(efficiency.processing(job), 1),
        "errorRate": _share(job.errors, done),
        "retryRate": _share(job.sample.get("retries"), done),
    }


def _records(job: Job) -> tuple[int | None, int | None]:
    """Return the records done and their total: of the running stage, the last stage that reported, or the job."""
    reported = [stage for stage in job.stages if stage.records is not None]
    running = [stage for stage in reported if stage.status is StageStatus.RUNNING]
    stage = max(running or reported, key=lambda stage: stage.started_at or 0, default=None)
    if stage is None:
        return job.records, job.total_records
    return stage.records, job.total_records if stage.total_records is None else stage.total_records


def _stages(job: Job) -> StageCounts:
    statuses = [stage.status for stage in job.stages]
    completed = [stage for stage in job.stages if stage.status is StageStatus.COMPLETED]
    durations = [seconds for stage in completed if (seconds := stage.seconds) is not None]
    return {
        "pending": statuses.count(StageStatus.PENDING),
        "running": statuses.count(StageStatus.RUNNING),
        "completed": statuses.count(StageStatus.COMPLETED),
        "failed": statuses.count(StageStatus.FAILED),
        "skipped": statuses.count(StageStatus.SKIPPED),
        "averageStageTime": formats.mean_time(sum(durations) / len(durations)) if durations else None,
        "stageEfficiency": _number(efficiency.stages(job), 1),
    }


def _number(value: float | None, decimals: int = 2) -> float | int | None:
    return None if value is None else formats.number(value, decimals)


def _size(count: float | None) -> str | None:
    return None if count is None else formats.size(count)


def _share(count: float | None, records: int | None) -> float | int | None:
    return None if count is None or not records else formats.significant(count / records)
