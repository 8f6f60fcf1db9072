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
LIVE_SUBSCRIPTIONS = 100

LOG_ENTRIES = 10_000
LOG_ENTRIES_DEFAULT = 1_000
ANSWER_BYTES = 5_500_000
"""What a body may weigh so that Lambda's answer of 6 MB still holds it."""

IDEMPOTENCY_SECONDS = 24 * 3600
IDEMPOTENCY_KEY_CHARACTERS = 255
BUSY_SECONDS = 2.0
"""How long a writer tries to win its job's next version."""

CHUNK_BYTES = 300_000
TAIL_BYTES = 1_000
NORMAL_SPAN_SECONDS = 60
"""A chunk of lines that spans more is `wide`."""
