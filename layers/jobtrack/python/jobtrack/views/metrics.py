"""`GET …/metrics`."""

from collections.abc import Collection, Sequence

from jobtrack import times
from jobtrack.domain import formats
from jobtrack.domain.estimate import total_seconds
from jobtrack.domain.job import Job, Json, StageStatus, Status
from jobtrack.domain.journal import metric_minutes
from jobtrack.domain.journal.metric_history import Bucket
from jobtrack.domain.past_durations import Past
from jobtrack.views import efficiency
from jobtrack.views.usage import memory_limit

GROUPS = ("cpu", "memory", "disk", "network", "throughput")
"""What `metrics` may name."""

_GIGABYTE = 1024**3
_STEADY = 0.075
_FIGURES = {"cpu": "cpuUsage", "memory": "memoryBytes", "throughput": "recordsPerSecond"}
"""The figures that have a history, by group."""


def metrics(job: Job, newest: Sequence[Bucket], include_history: bool, groups: Collection[str], now: int) -> Json:
    """The answer at `now` (µs), from the newest buckets (at least two where there are two), for the groups named."""
    return {
        "jobId": job.job_id,
        "metricsCollectionTime": times.render(times.whole(now)),
        "currentMetrics": {
            "resourceUtilization": {name: told(job) for name, told in _UTILIZATION.items() if name in groups},
            **({"processing": _processing(job)} if "throughput" in groups else {}),
            "stages": _stages(job),
        },
        "historicalMetrics": history(newest, groups) if include_history else [],
        "performanceTrends": {
            **trends(newest, groups),
            "overallEfficiency": efficiency.overall(job),
            "predictionAccuracy": _number(efficiency.prediction(job, now), 1),
        },
        "benchmarks": benchmarks(job, now),
    }


def history(newest: Sequence[Bucket], groups: Collection[str]) -> list[Json]:
    """The buckets that hold a figure of the groups, in order, each named by its end; memory in GB."""
    wanted = {name: figure for name, figure in _FIGURES.items() if name in groups}
    return [
        {
            "timestamp": times.render(bucket.end),
            **{_SHOWN[name][0]: _SHOWN[name][1](bucket.mean(figure)) for name, figure in wanted.items()},
            "stage": bucket.stage,
        }
        for bucket in newest
        if any(figure in bucket.figures for figure in wanted.values())
    ]


def trends(newest: Sequence[Bucket], groups: Collection[str]) -> Json:
    """How each figure of the last bucket compares with the one before; `null` where one of the two has none."""
    found: Json = {}
    for name, figure in _FIGURES.items():
        if name in groups:
            means = [mean for bucket in newest[-2:] if (mean := bucket.mean(figure)) is not None]
            up = "Improving" if name == "throughput" else "Rising"
            found[f"{name}Trend"] = trend(means[0], means[1], up) if len(means) == 2 else None
    return found


def trend(before: float, last: float, up: str = "Rising") -> str:
    """Within 7.5 % Stable."""
    if abs(last - before) <= _STEADY * before:
        return "Stable"
    return up if last > before else "Declining"


def benchmarks(job: Job, now: int) -> Json | None:
    """The job's whole time, by the estimate at `now` (µs), among the completed jobs of its type; `null` without any.

    A job that failed or was cancelled took less than it would have: it has no rank.
    """
    past = Past.load(job.past)
    if past is None:
        return None
    unfit = job.status in (Status.FAILED, Status.CANCELLED)
    seconds = None if unfit else total_seconds(job, now)
    faster, similar, slower = (None, None, None) if seconds is None else past.compare(seconds)
    return {
        "jobType": job.type,
        "averageJobDuration": formats.mean_time(past.mean_seconds),
        "averageThroughput": None if past.mean_rate is None else formats.rate(past.mean_rate),
        "currentPerformanceRank": None if seconds is None else f"{formats.ordinal(past.rank(seconds))} percentile",
        "similarJobsComparison": {"fasterThan": faster, "similarTo": similar, "slowerThan": slower},
    }


def _cpu(job: Job) -> Json:
    """`usage` is the last sample's, in per cent of the allocated cores; `efficiency` the mean of all."""
    return {
        "usage": _number(job.sample.get("cpuUsage"), 1),
        "cores": _number((job.allocated or {}).get("cpuUnits")),
        "efficiency": _number(efficiency.cpu(job), 1),
    }


def _memory(job: Job) -> Json:
    """`used` is the last sample's, `peak` the greatest; `efficiency` is peak / allocated."""
    return {
        "used": _size(job.sample.get("memoryBytes")),
        "allocated": _size(memory_limit(job)),
        "peak": _size(metric_minutes.peak_usage(job, "memoryBytes")),
        "efficiency": _number(efficiency.memory(job), 1),
    }


def _disk(job: Job) -> Json:
    """Totals so far, and the last sample's operations a second and latency."""
    latency = job.sample.get("diskLatencyMs")
    return {
        "reads": _size(job.sample.get("diskReadBytes")),
        "writes": _size(job.sample.get("diskWriteBytes")),
        "iops": _number(job.sample.get("iops")),
        "latency": None if latency is None else formats.milliseconds(latency),
    }


def _network(job: Job) -> Json:
    """Totals so far, and the last sample's connections."""
    return {
        "bytesIn": _size(job.sample.get("networkInBytes")),
        "bytesOut": _size(job.sample.get("networkOutBytes")),
        "connections": job.sample.get("connections"),
    }


_UTILIZATION = {"cpu": _cpu, "memory": _memory, "disk": _disk, "network": _network}


def _processing(job: Job) -> Json:
    """`processingEfficiency` is mean / peak rate; the rates are errors and retries a record, to three digits."""
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
    """Done and total of the stage that runs, else of the last one that told, else of the job as a whole."""
    told = [stage for stage in job.stages if stage.records is not None]
    running = [stage for stage in told if stage.status is StageStatus.RUNNING]
    stage = max(running or told, key=lambda each: each.started_at or 0, default=None)
    if stage is None:
        return job.records, job.total_records
    return stage.records, job.total_records if stage.total_records is None else stage.total_records


def _stages(job: Job) -> Json:
    """Stages by status; the mean time of the completed ones, and what was expected of them over what they took."""
    completed = [stage for stage in job.stages if stage.status is StageStatus.COMPLETED]
    took = [seconds for stage in completed if (seconds := stage.seconds) is not None]
    return {
        **{status.lower(): sum(stage.status is status for stage in job.stages) for status in StageStatus},
        "averageStageTime": formats.mean_time(sum(took) / len(took)) if took else None,
        "stageEfficiency": _number(efficiency.stages(job), 1),
    }


def _memory_shown(mean: float | None) -> float | int | None:
    return None if mean is None else formats.number(mean / _GIGABYTE)


def _cpu_shown(mean: float | None) -> float | int | None:
    return _number(mean, 1)


def _rate_shown(mean: float | None) -> float | int | None:
    return _number(mean)


_SHOWN = {
    "cpu": ("cpu", _cpu_shown),
    "memory": ("memory", _memory_shown),
    "throughput": ("recordsPerSecond", _rate_shown),
}


def _number(value: float | None, decimals: int = 2) -> float | int | None:
    return None if value is None else formats.number(value, decimals)


def _size(count: float | None) -> str | None:
    return None if count is None else formats.size(count)


def _share(count: float | None, records: int | None) -> float | int | None:
    return None if count is None or not records else formats.significant(count / records)
