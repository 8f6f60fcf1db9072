"""All limits: the limits of the contract, and the service's own."""

REQUEST_BYTES = 1024 * 1024
EVENTS = 500
EVENT_BYTES = 64 * 1024
MESSAGE_BYTES = 32 * 1024
DESCRIPTION_BYTES = 2 * 1024
DETAILS_BYTES = 16 * 1024
DETAILS_DEPTH = 32
BODY_DEPTH = 64
"""Maximum nesting of a request body, including members that the service ignores."""
NUMBER = 2**53
"""Maximum number in a report; greater integers are not exact in every JSON parser."""
ALLOCATED = 2**32
"""Maximum number of cores or gigabytes that a job can report as allocated."""
STAGES = 200
NAME_CHARACTERS = 200
STAGE_METRICS_BYTES = 4 * 1024
METADATA_BYTES = 8 * 1024
RELATIONS = 100
"""Maximum number of prerequisites, of resources, and of blocking conditions of a job."""
GRAPH_JOBS = 500
"""Maximum number of jobs in a response about dependencies."""
DEPTH = 10
"""Maximum number of steps from the job in a response about dependencies."""
LIVE_SUBSCRIPTIONS = 100
SOCKET_BYTES = 128_000
"""Maximum size of a WebSocket message: API Gateway accepts 128 KB."""
SIGNING_SECRETS = 10
"""Maximum number of valid secrets of a subscription: with a bearer token, they fit into the 4 KB that KMS encrypts."""

LOG_ENTRIES = 10_000
LOG_ENTRIES_DEFAULT = 1_000
LISTED_JOBS = 200
LISTED_JOBS_DEFAULT = 50
LISTED_SUBSCRIPTIONS = 200
LISTED_DELIVERIES = 200
LISTED_DELIVERIES_DEFAULT = 50
BATCH_JOBS = 100
"""Maximum number of ids in a batch request."""
FORECAST_JOBS = 1_000
"""Maximum number of queued jobs, and of running jobs, that a forecast of the queue reads one by one."""
REFRESH_SECONDS = 3600
WORKER_SECONDS = 120
"""A worker is no longer live after this time without a heartbeat."""
TIMELINE_ENTRIES = 10_000
TIMELINE_ENTRIES_DEFAULT = 1_000
HISTORY_BUCKETS = 3_000
"""Maximum number of buckets of a history. With stage names of the maximum length, they fit into ANSWER_BYTES."""
ANSWER_BYTES = 5_500_000
"""Maximum size of a response body: Lambda accepts 6 MB, in which the body is an escaped JSON string."""

IDEMPOTENCY_SECONDS = 24 * 3600
IDEMPOTENCY_KEY_CHARACTERS = 255
BUSY_SECONDS = 2.0
"""Time limit for the attempts to write the next version of a job."""

CHUNK_BYTES = 300_000
TAIL_BYTES = 1_000
TAIL_BYTES_LEAST = 300
"""Smallest limit of the journal's tail: with a smaller limit, nearly every line would become a separate chunk."""
SNAPSHOT_BYTES = 2 * 1024
"""Target size of a snapshot: a heartbeat, which rewrites it, then costs two write units."""
NORMAL_SPAN_SECONDS = 60
"""A chunk whose records span more is `wide`."""
