"""What the service returns and pushes, as plain JSON with types.

Generated from the OpenAPI document by `make client`; do not edit. The service may add members at any time.
"""

from typing import Any, Literal, NotRequired, TypeAlias, TypedDict

Availability: TypeAlias = Literal["High", "Medium", "Low"]
ConditionStatus: TypeAlias = Literal["Active", "Resolved"]
DeliveryStatus: TypeAlias = Literal["Pending", "Delivered", "Failed", "Skipped"]
Efficiency: TypeAlias = Literal["Excellent", "Good", "Fair", "Poor"]
EndReason: TypeAlias = Literal["expired", "deleted", "gone"]
EventName: TypeAlias = Literal[
    "stageStarted",
    "stageCompleted",
    "progressUpdate",
    "error",
    "warning",
    "jobCompleted",
    "jobQueued",
    "jobStarted",
    "jobFailed",
    "jobCancelled",
    "jobStalled",
    "stageFailed",
    "stageSkipped",
    "milestone",
    "log",
]
Granularity: TypeAlias = Literal["seconds", "minutes", "major_events"]
JobStatus: TypeAlias = Literal["Queued", "Running", "Completed", "Failed", "Cancelled"]
Language: TypeAlias = Literal["ja", "en"]
LogLevel: TypeAlias = Literal["DEBUG", "INFO", "WARN", "ERROR"]
MetricGroup: TypeAlias = Literal["cpu", "memory", "disk", "network", "throughput"]
Priority: TypeAlias = Literal["Critical", "High", "Normal", "Low"]
QueueHealth: TypeAlias = Literal["Good", "Degraded", "Critical"]
StageStatus: TypeAlias = Literal["Pending", "Running", "Completed", "Failed", "Skipped"]
SubscriptionStatus: TypeAlias = Literal["Active", "Ended", "Expired"]
SubscriptionType: TypeAlias = Literal["webhook", "websocket"]
Trend: TypeAlias = Literal["Rising", "Improving", "Stable", "Declining"]


class Accepted(TypedDict):
    """A batch of events that was stored as a whole."""

    accepted: int
    """The number of events in the batch"""
    lastSequence: int
    """Position in the total order of the job's events"""


class Activity(TypedDict):
    """What the job is doing, as last reported."""

    component: str | None
    operation: str | None
    details: str | dict[str, Any] | None


class Allocation(TypedDict):
    """The resources that a worker allocated to the job."""

    cpuUnits: NotRequired[float | None]
    memoryGB: NotRequired[float | None]
    workerNode: NotRequired[str | None]


class Attempt(TypedDict):
    """One attempt to push a message."""

    time: str
    statusCode: int | None
    """Status of the receiver's response"""
    milliseconds: int
    """How long the attempt took"""
    error: str | None
    """Why there was no response"""


class StatusCounts(TypedDict):
    """The number of the response's jobs in each status."""

    running: int
    queued: int
    completed: int
    failed: int
    cancelled: int


class Comparison(TypedDict):
    """Shares of the completed jobs of the type in whole per cent, which add up to 100."""

    fasterThan: int | None
    similarTo: int | None
    """Jobs whose duration differs by at most 10 %"""
    slowerThan: int | None


class Bucket(TypedDict):
    """The means of an interval's samples, for the groups that `metrics` named."""

    timestamp: str
    """The end of the interval"""
    cpu: NotRequired[float | None]
    memory: NotRequired[float | None]
    """In GB"""
    recordsPerSecond: NotRequired[float | None]
    stage: str | None
    """The stage of the last sample"""


class Capacity(TypedDict):
    """What the project's live workers can run."""

    activeWorkers: int
    """Workers that sent a heartbeat within 120 seconds"""
    maxConcurrentJobs: int | None
    currentlyRunning: int
    currentLoad: float | None
    """Running jobs in per cent of `maxConcurrentJobs`"""


class Cpu(TypedDict):
    """CPU usage in per cent of the allocated cores."""

    usage: float | None
    """Of the last sample"""
    cores: float | None
    """Cores allocated to the job"""
    efficiency: float | None
    """The mean of all samples"""


class Processing(TypedDict):
    """How fast the job processes records."""

    recordsPerSecond: float | None
    """Of the last sample"""
    recordsProcessed: int | None
    totalRecords: int | None
    processingEfficiency: float | None
    """Mean rate in per cent of the peak rate"""
    errorRate: float | None
    """Errors per record, to three significant digits"""
    retryRate: float | None
    """Retries per record, to three significant digits"""


class StageCounts(TypedDict):
    """The number of stages in each status, and how long stages take."""

    completed: int
    running: int
    pending: int
    failed: int
    skipped: int
    averageStageTime: str | None
    """Mean duration of the completed stages"""
    stageEfficiency: float | None
    """Expected in per cent of actual duration of the completed stages, at most 100"""


class ResourceDependency(TypedDict):
    """A resource that the job needs, as declared and as last reported."""

    resourceType: str
    resourceId: str
    resourceName: str | None
    status: str | None
    lastModified: str | None
    allocatedAt: str | None
    releasedAt: str | None


class Disk(TypedDict):
    """Disk usage."""

    reads: str | None
    """Total so far"""
    writes: str | None
    """Total so far"""
    iops: float | None
    """Operations per second, of the last sample"""
    latency: str | None
    """Of the last sample, such as `12ms`"""


Edge = TypedDict(
    "Edge",
    {
        "from": str,
        "to": str,
        "type": Literal["prerequisite", "dependency"],
    },
)
"""The job `to` waits for the job `from`."""


class EmptyData(TypedDict):
    """No data."""


class EndedData(TypedDict):
    """The job ended."""

    metrics: NotRequired[dict[str, Any] | None]


class Error(TypedDict):
    """Why something failed. Other members are stored as they are."""

    message: str
    """At most 32768 bytes in UTF-8"""


class ExecutionMetrics(TypedDict):
    """The current state of the job."""

    memoryUsage: str | None
    memoryUsageBytes: int | None
    processingRate: str | None
    recordsPerSecond: float | None
    currentStage: str | None
    stageProgress: int | None
    overallProgress: int
    cpuUsage: float | None
    """Per cent of the allocated cores"""
    estimatedCompletion: str | None


class Filters(TypedDict):
    """Which of the subscribed events are pushed."""

    minProgressIncrement: int
    includeDebugEvents: bool
    notifyOnErrors: bool


class Health(TypedDict):
    """The service is up."""

    status: Literal["ok"]


class JobProgress(TypedDict):
    """How far the job is."""

    percentage: int
    currentStage: str | None
    """The running stage that started last"""
    estimatedCompletion: str | None
    """When the job ended, or is expected to end"""
    elapsedTime: str | None
    """From the start to the end, or to now"""


class Links(TypedDict):
    """Paths of the job's resources."""

    self: str
    progress: str
    logs: str
    timeline: str
    metrics: str
    dependencies: str
    events: str


class TimeRange(TypedDict):
    """The times of the first and the last log line."""

    startTime: str | None
    endTime: str | None


class Memory(TypedDict):
    """Memory usage."""

    used: str | None
    """Of the last sample"""
    allocated: str | None
    peak: str | None
    """The greatest of all samples"""
    efficiency: float | None
    """`peak` in per cent of `allocated`"""


class Network(TypedDict):
    """Network usage."""

    bytesIn: str | None
    """Total so far"""
    bytesOut: str | None
    """Total so far"""
    connections: int | None
    """Of the last sample"""


class NewSecret(TypedDict):
    """The new signing secret."""

    signingSecret: str
    """Signs from now on. The previous secret also signs for 24 hours"""


class NewTicket(TypedDict):
    """The URL for one more connection."""

    websocketUrl: str
    """For one connection, within 60 seconds"""


class NoteData(TypedDict):
    """A milestone, a warning or an error."""

    description: str
    """At most 2048 bytes in UTF-8"""
    details: NotRequired[dict[str, Any] | None]


class OverallProgress(TypedDict):
    """How far the whole job is."""

    percentage: int
    startTime: str | None
    endTime: str | None
    elapsedTime: str | None
    """From the start to the end, or to now"""
    elapsedSeconds: int | None
    estimatedRemaining: str | None
    remainingSeconds: int | None
    estimatedCompletion: str | None
    """When the job ended, or now plus `remainingSeconds`"""


class ProblemFault(TypedDict):
    """A value that is wrong."""

    pointer: str
    """JSON pointer into the body, or `/query/name`, `/path/name`, `/header/name`"""
    detail: str
    """What is wrong with the value"""


class ResourceUsage(TypedDict):
    """The resource usage that the job last reported."""

    memoryUsage: str | None
    memoryUsageBytes: int | None
    processingRate: str | None
    recordsPerSecond: float | None
    memoryLimit: str | None
    """The memory allocated to the job"""
    memoryLimitBytes: int | None
    cpuUsage: float | None
    """Per cent of the allocated cores"""
    diskUsage: str | None
    diskUsageBytes: int | None
    networkIO: str | None
    """Bytes received plus bytes sent"""
    networkIOBytes: int | None


class QualityMetrics(TypedDict):
    """Results of the job's own validation, and how many warnings and errors it logged."""

    dataQualityScore: float | None
    """0 to 100"""
    validationsPassed: int | None
    validationsFailed: int | None
    warningsGenerated: int
    errorsEncountered: int


class ProgressData(TypedDict):
    """The progress of a stage or of the whole job."""

    stageName: NotRequired[str | None]
    progress: NotRequired[float | None]
    recordsProcessed: NotRequired[int | None]
    totalRecords: NotRequired[int | None]
    component: NotRequired[str | None]
    operation: NotRequired[str | None]
    details: NotRequired[dict[str, Any] | str | None]
    metrics: NotRequired[dict[str, Any] | None]


class QueueSummary(TypedDict):
    """The whole queue in figures."""

    totalQueuedJobs: int
    criticalPriorityJobs: int
    highPriorityJobs: int
    normalPriorityJobs: int
    lowPriorityJobs: int
    averageWaitTime: str | None
    """Mean time from now until a queued job starts, over jobs with an estimated start"""
    averageWaitSeconds: float | None
    estimatedProcessingTime: str | None
    """From now until the last queued job has ended; `null` unless all ends can be estimated"""
    estimatedProcessingSeconds: int | None


class QueuedMessage(TypedDict):
    """A message that will be pushed."""

    messageId: str
    """The `webhook-id` of the message"""


class TimelineEvent(TypedDict):
    """Something that happened."""

    timestamp: str
    eventType: str
    """The reported type in PascalCase, such as `StageCompleted`; `Progress`, `Warning` and `Error` of their kinds"""
    description: str
    """In the language of `Accept-Language`"""
    details: dict[str, Any]
    sequence: int
    """Position in the total order of the job's events"""


class UpcomingEvent(TypedDict):
    """Something that is expected to happen."""

    estimatedTime: str
    eventType: Literal["StageStart", "StageCompletion", "JobCompletion"]
    description: str
    """In the language of `Accept-Language`"""


class TrackedUsage(TypedDict):
    """The resource usage that a job of a batch last reported."""

    processingRate: str | None
    recordsPerSecond: float | None
    cpu: float | None
    """Per cent of the allocated cores"""
    memory: str | None
    memoryBytes: int | None


class JobStartedData(TypedDict):
    """The job started."""

    resourcesAllocated: NotRequired[Allocation | None]
    estimatedSeconds: NotRequired[float | None]


class Benchmarks(TypedDict):
    """The job compared with the tenant's completed jobs of its type."""

    jobType: str
    averageJobDuration: str | None
    averageThroughput: str | None
    currentPerformanceRank: str | None
    """Such as `85th percentile`"""
    similarJobsComparison: Comparison


class ConditionState(TypedDict):
    """A condition that blocks the job, or that was resolved."""

    condition: str
    status: ConditionStatus
    resolvedAt: str | None
    """`null` if the condition was declared as resolved"""
    resolution: str | None


class Delivery(TypedDict):
    """The state of a message's delivery."""

    messageId: str
    """The `webhook-id` of the message"""
    type: str
    sequence: int | None
    status: DeliveryStatus
    attempts: list[Attempt]


class DependentJob(TypedDict):
    """A job that waits. Name and status are `null` once the job is no longer kept."""

    jobId: str
    jobName: str | None
    status: JobStatus | None
    waitingFor: str | None
    """What the job waits for, as declared, or `<job name> results`"""
    distance: int
    """Steps from the requested job in the graph"""


class Node(TypedDict):
    """A job of the graph."""

    id: str
    type: Literal["PrerequisiteJob", "CurrentJob", "DependentJob"]
    status: JobStatus | None
    jobName: str | None


class PrerequisiteJob(TypedDict):
    """A job that has to complete first. Name and status are `null` once the job is no longer kept."""

    jobId: str
    jobName: str | None
    status: JobStatus | None
    completedAt: str | None
    dependency: str | None
    """Why the waiting job depends on it, as declared"""
    distance: int
    """Steps from the requested job in the graph"""


class MessageData(TypedDict):
    """The content of a message."""

    tenantId: str
    projectId: str
    jobId: str
    jobName: str | None
    subscriptionId: str
    sequence: int | None
    """Position in the total order of the job's events; `null` if it is not about an event"""
    status: JobStatus | None
    """The job's status at the event; `null` if the job is no longer kept"""
    percentage: int | None
    description: str
    """The event in one line, in the subscription's `language`"""
    event: dict[str, Any]
    """The event's `data` as the worker reported it"""
    reason: NotRequired[EndReason]
    """Why the subscription ended"""


class FailedData(TypedDict):
    """The job failed."""

    error: Error
    metrics: NotRequired[dict[str, Any] | None]


class StageData(TypedDict):
    """The status of a stage changed."""

    stageName: str
    recordsProcessed: NotRequired[int | None]
    totalRecords: NotRequired[int | None]
    metrics: NotRequired[dict[str, Any] | None]
    error: NotRequired[Error | None]


class TimelineScope(TypedDict):
    """What the timeline covers."""

    startTime: str | None
    """When the job started"""
    currentTime: str
    endTime: str | None
    """When the job ended"""
    granularity: Granularity


class QueuedJob(TypedDict):
    """A job that waits to be started."""

    jobId: str
    jobName: str
    jobType: str
    priority: Priority
    queuePosition: int
    """From 1; after the first 1,000 it is an estimate"""
    estimatedStartTime: str | None
    estimatedDuration: str | None
    estimatedDurationSeconds: int | None
    submittedBy: str
    dateSubmitted: str


class Job(TypedDict):
    """The current state of a job."""

    jobId: str
    projectId: str
    jobType: str
    jobName: str
    jobDescription: str | None
    status: JobStatus
    stalled: bool
    """Whether the job is running but has not reported for longer than its `heartbeatSeconds`"""
    priority: Priority
    submittedBy: str
    progress: JobProgress
    createdAt: str
    startedAt: str | None
    endedAt: str | None
    lastUpdated: str
    """When the service last accepted a report of the job"""
    lastSequence: int
    """Position in the total order of the job's events"""
    error: dict[str, Any] | None
    """Why the job failed, as the worker reported it"""
    metadata: dict[str, Any] | None
    """As given when the job was created"""


class LogData(TypedDict):
    """One log line."""

    level: LogLevel
    message: str
    """At most 32768 bytes in UTF-8"""
    component: NotRequired[str | None]
    stage: NotRequired[str | None]
    details: NotRequired[dict[str, Any] | None]


class LogEntry(TypedDict):
    """One log line."""

    timestamp: str
    level: LogLevel
    component: str | None
    stage: str | None
    message: str
    details: dict[str, Any] | None
    sequence: int
    """Position in the total order of the job's events"""


class LogsSummary(TypedDict):
    """Counts of all log lines of the job, whatever the filters."""

    totalEntries: int
    debugEntries: int
    infoEntries: int
    warnEntries: int
    errorEntries: int
    timeRange: TimeRange


class Utilization(TypedDict):
    """Usage of the resources that `metrics` named."""

    cpu: NotRequired[Cpu]
    memory: NotRequired[Memory]
    disk: NotRequired[Disk]
    network: NotRequired[Network]


class NewSubscription(TypedDict):
    """A new subscription, with the secret that only its creator gets."""

    subscriptionId: str
    jobId: str
    subscriptionType: SubscriptionType
    status: SubscriptionStatus
    endReason: EndReason | None
    """Why the subscription has ended"""
    webhookUrl: str | None
    """`null` for WebSockets"""
    eventsSubscribed: list[EventName]
    filters: Filters
    language: Language
    """Language of the messages' descriptions"""
    createdAt: str
    expiresAt: str
    signingSecret: NotRequired[str]
    """Signs the messages of a webhook (Standard Webhooks 1.0). It is returned only here"""
    websocketUrl: NotRequired[str]
    """Where to connect a WebSocket, once, within 60 seconds"""


class Subscription(TypedDict):
    """A receiver of a job's events."""

    subscriptionId: str
    jobId: str
    subscriptionType: SubscriptionType
    status: SubscriptionStatus
    endReason: EndReason | None
    """Why the subscription has ended"""
    webhookUrl: str | None
    """`null` for WebSockets"""
    eventsSubscribed: list[EventName]
    filters: Filters
    language: Language
    """Language of the messages' descriptions"""
    createdAt: str
    expiresAt: str


class Problem(TypedDict):
    """Why a request was refused (RFC 9457)."""

    type: str
    """`urn:jobtrack:problem:` and the code"""
    title: str
    status: int
    """The HTTP status"""
    detail: str
    """What is wrong, for people"""
    instance: str
    """The path of the request"""
    code: str
    """What is wrong, for programs"""
    requestId: str
    errors: NotRequired[list[ProblemFault]]
    """Each value that is wrong"""


class SystemHealth(TypedDict):
    """The load on the project's workers and its queue; without a live worker, the load is `null`."""

    overallLoad: float | None
    """Cores of the running jobs, in per cent of the workers' cores"""
    queueHealth: QueueHealth
    """By the longest expected wait: Good within 15 minutes, Degraded within 60, else Critical"""
    resourceAvailability: Availability | None
    """By the overall load: High below 50, Medium to 85, else Low"""
    estimatedCapacity: str | None
    """`additionalJobs` in words, such as `6 additional jobs`"""
    additionalJobs: int | None
    """How many more jobs the workers can take at once"""


class Stage(TypedDict):
    """A stage of the job."""

    stageName: str
    stageOrder: int
    """Position among the stages, from 1"""
    status: StageStatus
    progress: int
    startTime: str | None
    endTime: str | None
    duration: str | None
    """How long the stage took, once it has ended"""
    durationSeconds: int | None
    estimatedStartTime: str | None
    """When a pending stage is expected to start"""
    estimatedEndTime: str | None
    recordsProcessed: int | None
    totalRecords: int | None
    metrics: dict[str, Any]
    """As reported; a completed stage also has `throughput`, its records divided by its duration"""
    error: dict[str, Any] | None
    """Why the stage failed, as reported"""


class TrackedJob(TypedDict):
    """One job of the batch."""

    jobId: str
    jobName: str
    status: JobStatus
    stalled: bool
    """Whether the job is running but has not reported for longer than its `heartbeatSeconds`"""
    progress: int
    startTime: str | None
    queuePosition: int | None
    """Position of a queued job in the queue, from 1. After the first 1,000 it is an estimate"""
    estimatedStartTime: str | None
    """When a queued job is expected to start"""
    estimatedCompletion: str | None
    """When the job ended, or is expected to end"""
    currentStage: str | None
    submittedBy: str
    priority: Priority
    resourceUsage: NotRequired[TrackedUsage]
    """With `includeMetrics=true`"""


class Trends(TypedDict):
    """How the figures change, and two ratings."""

    cpuTrend: NotRequired[Trend | None]
    """The last bucket compared with the one before; Stable within 7.5 %"""
    memoryTrend: NotRequired[Trend | None]
    """The last bucket compared with the one before; Stable within 7.5 %"""
    throughputTrend: NotRequired[Trend | None]
    """The last bucket compared with the one before; Stable within 7.5 %"""
    overallEfficiency: Efficiency | None
    """By the mean of the known efficiencies: Excellent from 90, Good from 70, Fair from 50"""
    predictionAccuracy: float | None
    """100 × (1 - |first estimate - latest| / latest) of the whole duration, at least 0"""


class Deliveries(TypedDict):
    """A page of the messages of the last week, newest first."""

    deliveries: list[Delivery]
    nextCursor: str | None
    """Send it as `cursor` to get the next page; `null` on the last page"""


class Graph(TypedDict):
    """The jobs around the requested one, each once."""

    nodes: list[Node]
    edges: list[Edge]
    complete: bool
    """False if jobs were left out because the graph is too large"""


class DependencyLists(TypedDict):
    """What the job waits for, and which jobs wait for it."""

    prerequisiteJobs: list[PrerequisiteJob]
    resourceDependencies: list[ResourceDependency]
    dependentJobs: list[DependentJob]


class Message(TypedDict):
    """A message to a receiver."""

    type: str
    """More types may be added: return 2xx for a type that you do not know"""
    timestamp: str
    """When the event happened"""
    data: MessageData


class Timeline(TypedDict):
    """What happened in order of time, and what is expected to happen."""

    jobId: str
    jobName: str
    timelineScope: TimelineScope
    timeline: list[TimelineEvent]
    upcomingEvents: list[UpcomingEvent]
    nextCursor: str | None
    """Send it as `cursor` to get the next page; `null` on the last page"""
    lastSequence: int
    """Position in the total order of the job's events"""


class Queue(TypedDict):
    """The project's queue in figures, and a page of its jobs by priority, then by submission."""

    queueStatus: Literal["Active", "Idle"]
    """Active while a job is queued or running"""
    timestamp: str
    summary: QueueSummary
    processingCapacity: Capacity
    queuedJobs: list[QueuedJob]
    nextCursor: str | None
    """Send it as `cursor` to get the next page; `null` on the last page"""


class Jobs(TypedDict):
    """A page of the project's jobs, newest first."""

    jobs: list[Job]
    nextCursor: str | None
    """Send it as `cursor` to get the next page; `null` on the last page"""


class Logs(TypedDict):
    """A page of log lines in order of time."""

    jobId: str
    jobName: str
    jobStatus: JobStatus
    logsSummary: LogsSummary
    logs: list[LogEntry]
    nextCursor: str | None
    """Send it as `cursor` to get the next page; `null` on the last page"""
    lastSequence: int
    """Send it as `sinceSequence` to get later log lines"""
    executionMetrics: ExecutionMetrics


class CurrentMetrics(TypedDict):
    """The current figures."""

    resourceUtilization: Utilization
    processing: NotRequired[Processing]
    """If `metrics` names `throughput`"""
    stages: StageCounts


class NewJob(TypedDict):
    """A job that was created."""

    jobId: str
    jobName: str
    status: Literal["Queued"]
    queuePosition: int
    """Position in the project's queue, from 1"""
    createdAt: str
    subscriptions: list[NewSubscription]
    """The subscriptions created with the job, in the order of the request"""
    links: Links


class Subscriptions(TypedDict):
    """A page of the job's subscriptions, including those that ended within the last week."""

    subscriptions: list[Subscription]
    nextCursor: str | None
    """Send it as `cursor` to get the next page; `null` on the last page"""


class Progress(TypedDict):
    """How far a job is, stage by stage, and what remains."""

    jobId: str
    jobName: str
    status: JobStatus
    stalled: bool
    """Whether the job is running but has not reported for longer than its `heartbeatSeconds`"""
    overallProgress: OverallProgress
    stages: list[Stage]
    currentActivity: Activity
    resourceUsage: ResourceUsage
    qualityMetrics: QualityMetrics
    lastUpdated: str
    lastSequence: int
    """Position in the total order of the job's events"""


class Batch(TypedDict):
    """Several jobs at a glance, and the health of the system that runs them."""

    trackingTime: str
    """When the response was made"""
    jobCount: int
    """The number of jobs in the response"""
    summary: StatusCounts
    jobs: list[TrackedJob]
    notFound: list[str]
    """The `jobIds` that do not exist in the project"""
    systemHealth: SystemHealth
    refreshInterval: int | None
    """Seconds, as requested"""
    nextRefreshAt: str | None
    nextCursor: str | None
    """Send it as `cursor` to get the next page; `null` on the last page"""


class Dependencies(TypedDict):
    """What a job waits for, which jobs wait for it, and the graph of both."""

    jobId: str
    dependencies: DependencyLists
    blockingConditions: list[ConditionState]
    dependencyGraph: Graph


class Metrics(TypedDict):
    """Which resources a job uses, how fast it is, and how that compares."""

    jobId: str
    metricsCollectionTime: str
    currentMetrics: CurrentMetrics
    historicalMetrics: list[Bucket]
    """With `includeHistory=true`, in order of time"""
    performanceTrends: Trends
    benchmarks: Benchmarks | None
    """`null` until a job of the type has completed"""
