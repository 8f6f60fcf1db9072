"""The resource usage of a job, in several responses: each text with its number."""

from typing_extensions import TypedDict

from jobtrack.views.responses.fields import Count, Percent, Rate, Size


class MemoryUsage(TypedDict):
    """The memory usage that the job last reported."""

    memoryUsage: Size | None
    memoryUsageBytes: Count | None


class ProcessingRate(TypedDict):
    """The processing rate that the job last reported."""

    processingRate: Rate | None
    recordsPerSecond: float | None


class ResourceUsage(MemoryUsage, ProcessingRate):
    """The resource usage that the job last reported."""

    memoryLimit: Size | None
    """The memory allocated to the job"""
    memoryLimitBytes: Count | None
    cpuUsage: Percent | None
    """Per cent of the allocated cores"""
    diskUsage: Size | None
    diskUsageBytes: Count | None
    networkIO: Size | None
    """Bytes received plus bytes sent"""
    networkIOBytes: Count | None


class TrackedUsage(ProcessingRate):
    """The resource usage that a job of a batch last reported."""

    cpu: Percent | None
    """Per cent of the allocated cores"""
    memory: Size | None
    memoryBytes: Count | None
