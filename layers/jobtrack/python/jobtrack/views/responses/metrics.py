"""`GET …/job/{jobId}/metrics`."""

from typing import Annotated, Literal, NotRequired

from typing_extensions import TypedDict

from jobtrack.views.responses.fields import Count, Id, MeanTime, Percent, Rate, Schema, Size, Time, WholePercent

Efficiency = Literal["Excellent", "Good", "Fair", "Poor"]
Direction = Literal["Rising", "Improving", "Stable", "Declining"]
Trend = Annotated[
    Direction | None, Schema(description="The last bucket compared with the one before; Stable within 7.5 %")
]


class Cpu(TypedDict):
    """CPU usage in per cent of the allocated cores."""

    usage: Percent | None
    """Of the last sample"""
    cores: float | None
    """Cores allocated to the job"""
    efficiency: Percent | None
    """The mean of all samples"""


class Memory(TypedDict):
    """Memory usage."""

    used: Size | None
    """Of the last sample"""
    allocated: Size | None
    peak: Size | None
    """The greatest of all samples"""
    efficiency: Percent | None
    """`peak` in per cent of `allocated`"""


class Disk(TypedDict):
    """Disk usage."""

    reads: Size | None
    """Total so far"""
    writes: Size | None
    """Total so far"""
    iops: float | None
    """Operations per second, of the last sample"""
    latency: str | None
    """Of the last sample, such as `12ms`"""


class Network(TypedDict):
    """Network usage."""

    bytesIn: Size | None
    """Total so far"""
    bytesOut: Size | None
    """Total so far"""
    connections: Count | None
    """Of the last sample"""


class Utilization(TypedDict):
    """Usage of the resources that `metrics` named."""

    cpu: NotRequired[Cpu]
    memory: NotRequired[Memory]
    disk: NotRequired[Disk]
    network: NotRequired[Network]


class Processing(TypedDict):
    """How fast the job processes records."""

    recordsPerSecond: float | None
    """Of the last sample"""
    recordsProcessed: Count | None
    totalRecords: Count | None
    processingEfficiency: Percent | None
    """Mean rate in per cent of the peak rate"""
    errorRate: float | None
    """Errors per record, to three significant digits"""
    retryRate: float | None
    """Retries per record, to three significant digits"""


class StageCounts(TypedDict):
    """The number of stages in each status, and how long stages take."""

    completed: Count
    running: Count
    pending: Count
    failed: Count
    skipped: Count
    averageStageTime: MeanTime | None
    """Mean duration of the completed stages"""
    stageEfficiency: Percent | None
    """Expected in per cent of actual duration of the completed stages, at most 100"""


class CurrentMetrics(TypedDict):
    """The current figures."""

    resourceUtilization: Utilization
    processing: NotRequired[Processing]
    """If `metrics` names `throughput`"""
    stages: StageCounts


class Bucket(TypedDict):
    """The means of an interval's samples, for the groups that `metrics` named."""

    timestamp: Time
    """The end of the interval"""
    cpu: NotRequired[Percent | None]
    memory: NotRequired[float | None]
    """In GB"""
    recordsPerSecond: NotRequired[float | None]
    stage: str | None
    """The stage of the last sample"""


class GroupTrends(TypedDict):
    """How the figures change, for the groups that `metrics` named."""

    cpuTrend: NotRequired[Trend]
    memoryTrend: NotRequired[Trend]
    throughputTrend: NotRequired[Trend]


class Trends(GroupTrends):
    """How the figures change, and two ratings."""

    overallEfficiency: Efficiency | None
    """By the mean of the known efficiencies: Excellent from 90, Good from 70, Fair from 50"""
    predictionAccuracy: Percent | None
    """100 × (1 - |first estimate - latest| / latest) of the whole duration, at least 0"""


class Comparison(TypedDict):
    """Shares of the completed jobs of the type in whole per cent, which add up to 100."""

    fasterThan: WholePercent | None
    similarTo: WholePercent | None
    """Jobs whose duration differs by at most 10 %"""
    slowerThan: WholePercent | None


class Benchmarks(TypedDict):
    """The job compared with the tenant's completed jobs of its type."""

    jobType: str
    averageJobDuration: MeanTime | None
    averageThroughput: Rate | None
    currentPerformanceRank: str | None
    """Such as `85th percentile`"""
    similarJobsComparison: Comparison


class Metrics(TypedDict):
    """Which resources a job uses, how fast it is, and how that compares."""

    jobId: Id
    metricsCollectionTime: Time
    currentMetrics: CurrentMetrics
    historicalMetrics: list[Bucket]
    """With `includeHistory=true`, in order of time"""
    performanceTrends: Trends
    benchmarks: Benchmarks | None
    """`null` until a job of the type has completed"""
