"""What a job uses, of its last sample: each text with its number beside it."""

from jobtrack.domain import formats
from jobtrack.domain.job import Job, Json

_GIGABYTE = 1024**3


def resource_usage(job: Job) -> Json:
    """`resourceUsage` of `progress`; `null` where no sample told it. `networkIO` is in plus out."""
    sample = job.sample
    memory, disk, network = sample.get("memoryBytes"), sample.get("diskUsedBytes"), _network(job)
    limit = memory_limit(job)
    return {
        "memoryUsage": _size(memory),
        "memoryUsageBytes": memory,
        "memoryLimit": _size(limit),
        "memoryLimitBytes": limit,
        "cpuUsage": cpu(job),
        "diskUsage": _size(disk),
        "diskUsageBytes": disk,
        "networkIO": _size(network),
        "networkIOBytes": network,
        **processing_rate(job),
    }


def processing_rate(job: Job) -> Json:
    """The last reported rate, as text and number."""
    rate = job.sample.get("recordsPerSecond")
    return {
        "processingRate": None if rate is None else formats.rate(rate),
        "recordsPerSecond": None if rate is None else formats.number(rate),
    }


def memory(job: Job) -> Json:
    """The last reported memory, as text and number."""
    used = job.sample.get("memoryBytes")
    return {"memoryUsage": _size(used), "memoryUsageBytes": used}


def cpu(job: Job) -> float | None:
    """The last reported CPU usage, in per cent of the allocated cores."""
    usage = job.sample.get("cpuUsage")
    return None if usage is None else formats.number(usage, 1)


def memory_limit(job: Job) -> int | None:
    """The memory allocated to the job, in bytes."""
    gigabytes = (job.allocated or {}).get("memoryGB")
    return None if gigabytes is None else round(gigabytes * _GIGABYTE)


def _network(job: Job) -> int | None:
    parts = [job.sample[name] for name in ("networkInBytes", "networkOutBytes") if name in job.sample]
    return sum(parts) if parts else None


def _size(count: float | None) -> str | None:
    return None if count is None else formats.size(count)
