"""The answer of `GET …/metrics`."""

from typing import Annotated, Literal

from pydantic import Field

from scripts.openapi.kinds import Answer, Count, Id, MeanTime, Percent, Rate, Size, Time, Whole

Trend = Annotated[str | None, Field(description="The last bucket beside the one before: within 7.5 % Stable")]


class Cpu(Answer):
    """`usage` in per cent of the cores allocated; `efficiency` is the mean usage."""

    usage: Percent | None
    cores: float | None
    efficiency: Percent | None


class Memory(Answer):
    """`efficiency` is peak over allocated."""

    used: Size | None
    allocated: Size | None
    peak: Size | None
    efficiency: Percent | None


class Disk(Answer):
    """Totals so far, and the last sample."""

    reads: Size | None
    writes: Size | None
    iops: float | None
    latency: Annotated[str | None, Field(description="Such as `12ms`")]


class Network(Answer):
    """Totals so far, and the last sample."""

    bytesIn: Size | None
    bytesOut: Size | None
    connections: Count | None


class Utilization(Answer):
    """The groups asked for."""

    cpu: Cpu | None = None
    memory: Memory | None = None
    disk: Disk | None = None
    network: Network | None = None


class Processing(Answer):
    """`processingEfficiency` is mean over peak rate; the other two are errors and retries per record."""

    recordsPerSecond: float | None
    recordsProcessed: Count | None
    totalRecords: Count | None
    processingEfficiency: Percent | None
    errorRate: float | None
    retryRate: float | None


class StageCounts(Answer):
    """`stageEfficiency` is expected over actual time of the completed stages, at most 100."""

    completed: Count
    running: Count
    pending: Count
    failed: Count
    skipped: Count
    averageStageTime: MeanTime | None
    stageEfficiency: Percent | None


class CurrentMetrics(Answer):
    """How the job stands now."""

    resourceUtilization: Utilization
    processing: Processing | None = None
    stages: StageCounts


class Bucket(Answer):
    """The means of an interval's samples, named by its end; memory in GB."""

    timestamp: Time
    cpu: Percent | None = None
    memory: float | None = None
    recordsPerSecond: float | None = None
    stage: str | None


class Trends(Answer):
    """Where the job is heading."""

    cpuTrend: Trend = None
    memoryTrend: Trend = None
    throughputTrend: Trend = None
    overallEfficiency: Literal["Excellent", "Good", "Fair", "Poor"] | None
    predictionAccuracy: Percent | None


class Comparison(Answer):
    """Shares of the past jobs of the type, whole per cent that sum to 100; similar is within 10 %."""

    fasterThan: Whole | None
    similarTo: Whole | None
    slowerThan: Whole | None


class Benchmarks(Answer):
    """Beside the tenant's completed jobs of the type."""

    jobType: str
    averageJobDuration: MeanTime | None
    averageThroughput: Rate | None
    currentPerformanceRank: Annotated[str | None, Field(description="Such as `85th percentile`")]
    similarJobsComparison: Comparison


class Metrics(Answer):
    """What a job uses, how fast it is, and how that compares."""

    jobId: Id
    metricsCollectionTime: Time
    currentMetrics: CurrentMetrics
    historicalMetrics: list[Bucket]
    performanceTrends: Trends
    benchmarks: Benchmarks | None
