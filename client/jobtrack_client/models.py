"""What the service answers and pushes, as plain JSON with types.

Made from the API's description by `make client`: change that instead. The service may add members at any time.
"""

from typing import Any, Literal, NotRequired, TypedDict

__all__ = [
    "Accepted",
    "Activity",
    "Allocation",
    "Attempt",
    "Batch",
    "Benchmarks",
    "Bucket",
    "Capacity",
    "Comparison",
    "ConditionState",
    "Cpu",
    "CurrentMetrics",
    "Deliveries",
    "Delivery",
    "Dependencies",
    "DependencyLists",
    "DependentJob",
    "Disk",
    "Edge",
    "EndedData",
    "Error",
    "ExecutionMetrics",
    "FailedData",
    "Filters",
    "Graph",
    "Health",
    "Job",
    "JobProgress",
    "JobStartedData",
    "Jobs",
    "Links",
    "LogData",
    "LogEntry",
    "Logs",
    "LogsSummary",
    "Memory",
    "Metrics",
    "Network",
    "NewJob",
    "NewSecret",
    "NewSubscription",
    "NewTicket",
    "Node",
    "NoteData",
    "Nothing",
    "OverallProgress",
    "Owed",
    "PrerequisiteJob",
    "Problem",
    "Processing",
    "Progress",
    "ProgressData",
    "Pushed",
    "PushedData",
    "QualityMetrics",
    "Queue",
    "QueueSummary",
    "QueuedJob",
    "ResourceDependency",
    "ResourceUsage",
    "Stage",
    "StageCounts",
    "StageData",
    "StatusCounts",
    "Subscription",
    "Subscriptions",
    "SystemHealth",
    "TimeRange",
    "Timeline",
    "TimelineEvent",
    "TimelineScope",
    "TrackedJob",
    "TrackedUsage",
    "Trends",
    "UpcomingEvent",
    "Utilization",
]


class Accepted(TypedDict):
    """What was stored of a batch: all of it."""

    accepted: int
    lastSequence: int


class Activity(TypedDict):
    """What the job does now."""

    component: str | None
    operation: str | None
    details: str | dict[str, Any] | None


class Allocation(TypedDict):
    """What a worker gave the job."""

    cpuUnits: NotRequired[float | None]
    memoryGB: NotRequired[float | None]
    workerNode: NotRequired[str | None]


class Attempt(TypedDict):
    """One try to push a message."""

    time: str
    statusCode: int | None
    milliseconds: int
    error: str | None


class Batch(TypedDict):
    """Several jobs at once."""

    trackingTime: str
    jobCount: int
    summary: "StatusCounts"
    jobs: list["TrackedJob"]
    systemHealth: "SystemHealth"
    notFound: list[str]
    nextCursor: str | None
    refreshInterval: int | None
    nextRefreshAt: str | None


class Benchmarks(TypedDict):
    """Beside the tenant's completed jobs of the type."""

    jobType: str
    averageJobDuration: str | None
    averageThroughput: str | None
    currentPerformanceRank: str | None
    similarJobsComparison: "Comparison"


class Bucket(TypedDict):
    """The means of an interval's samples, named by its end; memory in GB."""

    timestamp: str
    cpu: NotRequired[float | None]
    memory: NotRequired[float | None]
    recordsPerSecond: NotRequired[float | None]
    stage: str | None


class Capacity(TypedDict):
    """What the live workers of the project can do."""

    activeWorkers: int
    maxConcurrentJobs: int | None
    currentlyRunning: int
    currentLoad: float | None


class Comparison(TypedDict):
    """Shares of the past jobs of the type, whole per cent that sum to 100; similar is within 10 %."""

    fasterThan: int | None
    similarTo: int | None
    slowerThan: int | None


class ConditionState(TypedDict):
    """What holds the job up, or did."""

    condition: str
    status: Literal["Active", "Resolved"]
    resolvedAt: str | None
    resolution: str | None


class Cpu(TypedDict):
    """`usage` in per cent of the cores allocated; `efficiency` is the mean usage."""

    usage: float | None
    cores: float | None
    efficiency: float | None


class CurrentMetrics(TypedDict):
    """How the job stands now."""

    resourceUtilization: "Utilization"
    processing: NotRequired["Processing | None"]
    stages: "StageCounts"


class Deliveries(TypedDict):
    """What was pushed within the last week, newest first."""

    deliveries: list["Delivery"]
    nextCursor: str | None


class Delivery(TypedDict):
    """What became of a message."""

    messageId: str
    type: str
    sequence: int | None
    status: Literal["Delivered", "Pending", "Failed", "Skipped"]
    attempts: list["Attempt"]


class Dependencies(TypedDict):
    """What a job waits for, what waits for it, and the graph of both."""

    jobId: str
    dependencies: "DependencyLists"
    blockingConditions: list["ConditionState"]
    dependencyGraph: "Graph"


class DependencyLists(TypedDict):
    """What the job waits for, and what waits for it."""

    prerequisiteJobs: list["PrerequisiteJob"]
    resourceDependencies: list["ResourceDependency"]
    dependentJobs: list["DependentJob"]


class DependentJob(TypedDict):
    """A job that waits for this one."""

    jobId: str
    jobName: str | None
    status: Literal["Queued", "Running", "Completed", "Failed", "Cancelled"] | None
    waitingFor: str | None
    distance: int


class Disk(TypedDict):
    """Totals so far, and the last sample."""

    reads: str | None
    writes: str | None
    iops: float | None
    latency: str | None


Edge = TypedDict(
    "Edge",
    {
        "from": str,
        "to": str,
        "type": Literal["prerequisite", "dependency"],
    },
)
"""Who waits for whom."""


class EndedData(TypedDict):
    """The job ended."""

    metrics: NotRequired[dict[str, Any] | None]


class Error(TypedDict):
    """Why something failed; more members are kept as they came."""

    message: str


class ExecutionMetrics(TypedDict):
    """The job's present state."""

    currentStage: str | None
    stageProgress: int | None
    overallProgress: int
    processingRate: str | None
    recordsPerSecond: float | None
    memoryUsage: str | None
    memoryUsageBytes: int | None
    cpuUsage: float | None
    estimatedCompletion: str | None


class FailedData(TypedDict):
    """The job failed."""

    error: "Error"
    metrics: NotRequired[dict[str, Any] | None]


class Filters(TypedDict):
    """Which of the subscribed events are pushed."""

    minProgressIncrement: int
    includeDebugEvents: bool
    notifyOnErrors: bool


class Graph(TypedDict):
    """The jobs around this one, each once."""

    nodes: list["Node"]
    edges: list["Edge"]
    complete: bool


class Health(TypedDict):
    """The service answers."""

    status: Literal["ok"]


class Job(TypedDict):
    """A job as it stands."""

    jobId: str
    projectId: str
    jobType: str
    jobName: str
    jobDescription: str | None
    status: Literal["Queued", "Running", "Completed", "Failed", "Cancelled"]
    stalled: bool
    priority: Literal["Critical", "High", "Normal", "Low"]
    submittedBy: str
    progress: "JobProgress"
    createdAt: str
    startedAt: str | None
    endedAt: str | None
    lastUpdated: str
    lastSequence: int
    error: dict[str, Any] | None
    metadata: dict[str, Any] | None


class JobProgress(TypedDict):
    """How far a job has come."""

    percentage: int
    currentStage: str | None
    estimatedCompletion: str | None
    elapsedTime: str | None


class JobStartedData(TypedDict):
    """The job left the queue."""

    resourcesAllocated: NotRequired["Allocation | None"]
    estimatedSeconds: NotRequired[float | None]


class Jobs(TypedDict):
    """Jobs of the project, newest first."""

    jobs: list["Job"]
    nextCursor: str | None


class Links(TypedDict):
    """Paths of what can be asked about the job."""

    self: str
    progress: str
    logs: str
    timeline: str
    metrics: str
    dependencies: str
    events: str


class LogData(TypedDict):
    """One log line."""

    level: Literal["DEBUG", "INFO", "WARN", "ERROR"]
    message: str
    component: NotRequired[str | None]
    stage: NotRequired[str | None]
    details: NotRequired[dict[str, Any] | None]


class LogEntry(TypedDict):
    """One log line."""

    timestamp: str
    level: Literal["DEBUG", "INFO", "WARN", "ERROR"]
    component: str | None
    stage: str | None
    message: str
    details: dict[str, Any] | None
    sequence: int


class Logs(TypedDict):
    """A page of log lines, ascending in time."""

    jobId: str
    jobName: str
    jobStatus: Literal["Queued", "Running", "Completed", "Failed", "Cancelled"]
    logsSummary: "LogsSummary"
    logs: list["LogEntry"]
    nextCursor: str | None
    lastSequence: int
    executionMetrics: "ExecutionMetrics"


class LogsSummary(TypedDict):
    """Counts over the whole job, whatever the filters."""

    totalEntries: int
    debugEntries: int
    infoEntries: int
    warnEntries: int
    errorEntries: int
    timeRange: "TimeRange"


class Memory(TypedDict):
    """`efficiency` is peak over allocated."""

    used: str | None
    allocated: str | None
    peak: str | None
    efficiency: float | None


class Metrics(TypedDict):
    """What a job uses, how fast it is, and how that compares."""

    jobId: str
    metricsCollectionTime: str
    currentMetrics: "CurrentMetrics"
    historicalMetrics: list["Bucket"]
    performanceTrends: "Trends"
    benchmarks: "Benchmarks | None"


class Network(TypedDict):
    """Totals so far, and the last sample."""

    bytesIn: str | None
    bytesOut: str | None
    connections: int | None


class NewJob(TypedDict):
    """A job that was made."""

    jobId: str
    jobName: str
    status: Literal["Queued"]
    queuePosition: int
    createdAt: str
    subscriptions: list["NewSubscription"]
    links: "Links"


class NewSecret(TypedDict):
    """The new signing secret."""

    signingSecret: str


class NewSubscription(TypedDict):
    """A subscription as it is told once, to who made it."""

    subscriptionId: str
    jobId: str
    subscriptionType: Literal["webhook", "websocket"]
    status: Literal["Active", "Ended", "Expired"]
    endReason: str | None
    webhookUrl: str | None
    eventsSubscribed: list[str]
    filters: "Filters"
    language: Literal["ja", "en"]
    createdAt: str
    expiresAt: str
    signingSecret: NotRequired[str]
    websocketUrl: NotRequired[str]


class NewTicket(TypedDict):
    """Where to connect once more."""

    websocketUrl: str


class Node(TypedDict):
    """A job of the graph."""

    id: str
    type: Literal["PrerequisiteJob", "CurrentJob", "DependentJob"]
    status: Literal["Queued", "Running", "Completed", "Failed", "Cancelled"] | None
    jobName: str | None


class NoteData(TypedDict):
    """Something worth telling."""

    description: str
    details: NotRequired[dict[str, Any] | None]


class Nothing(TypedDict):
    """No data."""


class OverallProgress(TypedDict):
    """How far the job has come; `estimatedCompletion` is now + remaining."""

    percentage: int
    startTime: str | None
    endTime: str | None
    elapsedTime: str | None
    elapsedSeconds: int | None
    estimatedRemaining: str | None
    remainingSeconds: int | None
    estimatedCompletion: str | None


class Owed(TypedDict):
    """A message that will be pushed."""

    messageId: str


class PrerequisiteJob(TypedDict):
    """A job that this one waits for."""

    jobId: str
    jobName: str | None
    status: Literal["Queued", "Running", "Completed", "Failed", "Cancelled"] | None
    completedAt: str | None
    dependency: str | None
    distance: int


class Problem(TypedDict):
    """Why a request was refused (RFC 9457)"""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    code: str
    requestId: str
    errors: NotRequired[list[dict[str, Any]]]


class Processing(TypedDict):
    """`processingEfficiency` is mean over peak rate; the other two are errors and retries per record."""

    recordsPerSecond: float | None
    recordsProcessed: int | None
    totalRecords: int | None
    processingEfficiency: float | None
    errorRate: float | None
    retryRate: float | None


class Progress(TypedDict):
    """How far a job has come, by stages, and what remains."""

    jobId: str
    jobName: str
    status: Literal["Queued", "Running", "Completed", "Failed", "Cancelled"]
    stalled: bool
    overallProgress: "OverallProgress"
    stages: list["Stage"]
    currentActivity: "Activity"
    resourceUsage: "ResourceUsage"
    qualityMetrics: "QualityMetrics"
    lastUpdated: str
    lastSequence: int


class ProgressData(TypedDict):
    """How far a stage, or the whole job, has come."""

    stageName: NotRequired[str | None]
    progress: NotRequired[float | None]
    recordsProcessed: NotRequired[int | None]
    totalRecords: NotRequired[int | None]
    component: NotRequired[str | None]
    operation: NotRequired[str | None]
    details: NotRequired[dict[str, Any] | str | None]
    metrics: NotRequired[dict[str, Any] | None]


class Pushed(TypedDict):
    """A message to a receiver."""

    type: str
    timestamp: str
    data: "PushedData"


class PushedData(TypedDict):
    """What a message tells."""

    tenantId: str
    projectId: str
    jobId: str
    jobName: str | None
    subscriptionId: str
    sequence: int | None
    status: Literal["Queued", "Running", "Completed", "Failed", "Cancelled"] | None
    percentage: int | None
    description: str
    event: dict[str, Any]
    reason: NotRequired[Literal["expired", "deleted", "gone"]]


class QualityMetrics(TypedDict):
    """What validation found, and how often the job warned or erred."""

    dataQualityScore: float | None
    validationsPassed: int | None
    validationsFailed: int | None
    warningsGenerated: int
    errorsEncountered: int


class Queue(TypedDict):
    """The project's queue, by priority and then by submission."""

    queueStatus: Literal["Active", "Idle"]
    timestamp: str
    summary: "QueueSummary"
    processingCapacity: "Capacity"
    queuedJobs: list["QueuedJob"]
    nextCursor: str | None


class QueueSummary(TypedDict):
    """How many jobs wait, and how long."""

    totalQueuedJobs: int
    criticalPriorityJobs: int
    highPriorityJobs: int
    normalPriorityJobs: int
    lowPriorityJobs: int
    averageWaitTime: str | None
    averageWaitSeconds: float | None
    estimatedProcessingTime: str | None
    estimatedProcessingSeconds: int | None


class QueuedJob(TypedDict):
    """A job that waits."""

    jobId: str
    jobName: str
    jobType: str
    priority: Literal["Critical", "High", "Normal", "Low"]
    queuePosition: int
    estimatedStartTime: str | None
    estimatedDuration: str | None
    estimatedDurationSeconds: int | None
    submittedBy: str
    dateSubmitted: str


class ResourceDependency(TypedDict):
    """What the job needs that is no job."""

    resourceType: str
    resourceId: str
    resourceName: str | None
    status: str | None
    lastModified: str | None
    allocatedAt: str | None
    releasedAt: str | None


class ResourceUsage(TypedDict):
    """The last sample: each text with its number beside it."""

    memoryUsage: str | None
    memoryUsageBytes: int | None
    memoryLimit: str | None
    memoryLimitBytes: int | None
    cpuUsage: float | None
    diskUsage: str | None
    diskUsageBytes: int | None
    networkIO: str | None
    networkIOBytes: int | None
    processingRate: str | None
    recordsPerSecond: float | None


class Stage(TypedDict):
    """A stage of the job."""

    stageName: str
    stageOrder: int
    status: Literal["Pending", "Running", "Completed", "Failed", "Skipped"]
    progress: int
    startTime: str | None
    endTime: str | None
    duration: str | None
    durationSeconds: int | None
    estimatedStartTime: str | None
    estimatedEndTime: str | None
    recordsProcessed: int | None
    totalRecords: int | None
    metrics: dict[str, Any]
    error: dict[str, Any] | None


class StageCounts(TypedDict):
    """`stageEfficiency` is expected over actual time of the completed stages, at most 100."""

    completed: int
    running: int
    pending: int
    failed: int
    skipped: int
    averageStageTime: str | None
    stageEfficiency: float | None


class StageData(TypedDict):
    """A stage changed its status."""

    stageName: str
    recordsProcessed: NotRequired[int | None]
    totalRecords: NotRequired[int | None]
    metrics: NotRequired[dict[str, Any] | None]
    error: NotRequired["Error | None"]


class StatusCounts(TypedDict):
    """The jobs of an answer by status."""

    running: int
    queued: int
    completed: int
    failed: int
    cancelled: int


class Subscription(TypedDict):
    """Who is told of a job's events, and until when."""

    subscriptionId: str
    jobId: str
    subscriptionType: Literal["webhook", "websocket"]
    status: Literal["Active", "Ended", "Expired"]
    endReason: str | None
    webhookUrl: str | None
    eventsSubscribed: list[str]
    filters: "Filters"
    language: Literal["ja", "en"]
    createdAt: str
    expiresAt: str


class Subscriptions(TypedDict):
    """Who is told of the job's events, or was within the last week."""

    subscriptions: list["Subscription"]
    nextCursor: str | None


class SystemHealth(TypedDict):
    """The project's workers and its queue; `null` without a live worker."""

    overallLoad: float | None
    queueHealth: Literal["Good", "Degraded", "Critical"]
    resourceAvailability: Literal["High", "Medium", "Low"] | None
    estimatedCapacity: str | None
    additionalJobs: int | None


class TimeRange(TypedDict):
    """The times of the first and the last entry."""

    startTime: str | None
    endTime: str | None


class Timeline(TypedDict):
    """What happened, in order of time, and what is expected."""

    jobId: str
    jobName: str
    timelineScope: "TimelineScope"
    timeline: list["TimelineEvent"]
    upcomingEvents: list["UpcomingEvent"]
    nextCursor: str | None
    lastSequence: int


class TimelineEvent(TypedDict):
    """Something that happened."""

    timestamp: str
    eventType: str
    description: str
    details: dict[str, Any]
    sequence: int


class TimelineScope(TypedDict):
    """What the timeline spans."""

    startTime: str | None
    currentTime: str
    endTime: str | None
    granularity: Literal["seconds", "minutes", "major_events"]


class TrackedJob(TypedDict):
    """A job among several."""

    jobId: str
    jobName: str
    status: Literal["Queued", "Running", "Completed", "Failed", "Cancelled"]
    stalled: bool
    progress: int
    startTime: str | None
    estimatedCompletion: str | None
    currentStage: str | None
    queuePosition: int | None
    estimatedStartTime: str | None
    submittedBy: str
    priority: Literal["Critical", "High", "Normal", "Low"]
    resourceUsage: NotRequired["TrackedUsage | None"]


class TrackedUsage(TypedDict):
    """The last sample of a tracked job."""

    cpu: float | None
    memory: str | None
    memoryBytes: int | None
    processingRate: str | None
    recordsPerSecond: float | None


class Trends(TypedDict):
    """Where the job is heading."""

    cpuTrend: NotRequired[str | None]
    memoryTrend: NotRequired[str | None]
    throughputTrend: NotRequired[str | None]
    overallEfficiency: Literal["Excellent", "Good", "Fair", "Poor"] | None
    predictionAccuracy: float | None


class UpcomingEvent(TypedDict):
    """Something that is expected."""

    estimatedTime: str
    eventType: Literal["StageStart", "StageCompletion", "JobCompletion"]
    description: str


class Utilization(TypedDict):
    """The groups asked for."""

    cpu: NotRequired["Cpu | None"]
    memory: NotRequired["Memory | None"]
    disk: NotRequired["Disk | None"]
    network: NotRequired["Network | None"]
