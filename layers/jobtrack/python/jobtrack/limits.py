"""Every limit of the contract, and those of our own, each in one place."""

REQUEST_BYTES = 1024 * 1024
EVENTS = 500
EVENT_BYTES = 64 * 1024
MESSAGE_BYTES = 32 * 1024
DESCRIPTION_BYTES = 2 * 1024
DETAILS_BYTES = 16 * 1024
DETAILS_DEPTH = 32
BODY_DEPTH = 64
"""Levels of nesting of a body as a whole: what holds the details, and what is nobody's business."""
NUMBER = 2**53
"""The greatest number that may be reported: up to it, JSON integers are exact everywhere."""
ALLOCATED = 2**32
"""The most cores, or gigabytes, that a job may be given."""
STAGES = 200
NAME_CHARACTERS = 200
STAGE_METRICS_BYTES = 4 * 1024
METADATA_BYTES = 8 * 1024
RELATIONS = 100
"""Prerequisites, resources and blocking conditions, each."""
GRAPH_JOBS = 500
"""Jobs that an answer about dependencies shows at most."""
DEPTH = 10
"""Steps that it goes at most."""
LIVE_SUBSCRIPTIONS = 100
SOCKET_BYTES = 128_000
"""What a WebSocket message may weigh: API Gateway takes 128 KB."""
SIGNING_SECRETS = 10
"""Those of a subscription that sign at once: so many fit, with a bearer token, what KMS seals directly."""

LOG_ENTRIES = 10_000
LOG_ENTRIES_DEFAULT = 1_000
LISTED_JOBS = 200
LISTED_JOBS_DEFAULT = 50
LISTED_SUBSCRIPTIONS = 200
LISTED_DELIVERIES = 200
LISTED_DELIVERIES_DEFAULT = 50
BATCH_JOBS = 100
"""Jobs that are asked for by their ids."""
REFRESH_SECONDS = 3600
WORKER_SECONDS = 120
"""How long a worker lives after a heartbeat."""
TIMELINE_ENTRIES = 10_000
TIMELINE_ENTRIES_DEFAULT = 1_000
HISTORY_BUCKETS = 3_000
"""The most buckets of a history, the newest: so many fit Lambda's answer whatever the stages are called."""
ANSWER_BYTES = 5_500_000
"""What a body may weigh so that Lambda's answer of 6 MB still holds it."""

IDEMPOTENCY_SECONDS = 24 * 3600
IDEMPOTENCY_KEY_CHARACTERS = 255
BUSY_SECONDS = 2.0
"""How long a writer tries to win its job's next version."""

CHUNK_BYTES = 300_000
TAIL_BYTES = 1_000
TAIL_BYTES_LEAST = 300
"""With less room, a tail would make a chunk of almost every line."""
SNAPSHOT_BYTES = 2 * 1024
"""What a snapshot is kept to where that is possible, so that a heartbeat, which rewrites it, is two write units."""
NORMAL_SPAN_SECONDS = 60
"""A chunk of lines that spans more is `wide`."""
