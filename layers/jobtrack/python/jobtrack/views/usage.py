"""The resource usage of a job's last sample: each text with its number."""

from jobtrack.domain import formats
from jobtrack.domain.job import Job
from jobtrack.views.responses.usage import MemoryUsage, ProcessingRate, ResourceUsage

_GIGABYTE = 1024**3


def resource_usage(job: Job) -> ResourceUsage:
    """Return `resourceUsage`; a figure that was never reported is None."""
    disk, network = job.sample.get("diskUsedBytes"), _network(job)
    limit = memory_limit(job)
    return {
        **memory(job),
        "memoryLimit": _size(limit),
        "memoryLimitBytes": limit,
        "cpuUsage": cpu(job),
        "diskUsage": _size(disk),
        "diskUsageBytes": disk,
        "networkIO": _size(network),
        "networkIOBytes": network,
        **processing_rate(job),
    }


def processing_rate(job: Job) -> ProcessingRate:
    """Return the last reported rate."""
    rate = job.sample.get("recordsPerSecond")
    return {
        "processingRate": None if rate is None else formats.rate(rate),
        "recordsPerSecond": None if rate is None else formats.number(rate),
    }


def memory(job: Job) -> MemoryUsage:
    """Return the last reported memory usage."""
    used = job.sample.get("memoryBytes")
    return {"memoryUsage": _size(used), "memoryUsageBytes": used}


def cpu(job: Job) -> float | None:
    """Return the last reported CPU usage, in per cent of the allocated cores."""
    usage = job.sample.get("cpuUsage")
    return None if usage is None else formats.number(usage, 1)


def memory_limit(job: Job) -> int | None:
    """Return the memory allocated to the job, in bytes."""
    gigabytes = (job.allocated or {}).get("memoryGB")
    return None if gigabytes is None else round(gigabytes * _GIGABYTE)


def _network(job: Job) -> int | None:
    """Return the reported bytes received plus the reported bytes sent; None if neither was reported."""
    parts = [job.sample[name] for name in ("networkInBytes", "networkOutBytes") if name in job.sample]
    return sum(parts) if parts else None


def _size(count: float | None) -> str | None:
    return None if count is None else formats.size(count)
