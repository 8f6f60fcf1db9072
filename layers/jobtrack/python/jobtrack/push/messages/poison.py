"""Poison messages: they fail because of their content, so another attempt cannot succeed."""

from botocore.exceptions import BotoCoreError, ClientError

from jobtrack.errors import JobBusy, Unavailable
from jobtrack.push.messages.delivery_queue import QueueError

_CONTENT_ERRORS = frozenset(
    {
        "AWS.SimpleQueueService.BatchRequestTooLong",
        "InvalidMessageContents",
        "InvalidParameterValue",
        "ValidationException",
    }
)
"""Error codes with which SQS and DynamoDB refuse content, however often it is sent."""


def is_poison(error: Exception) -> bool:
    """Return whether the content caused the error, rather than AWS, the network or a busy table."""
    if isinstance(error, ClientError):
        return error.response["Error"]["Code"] in _CONTENT_ERRORS
    transient = BotoCoreError | JobBusy | Unavailable | MemoryError | OSError | QueueError
    return not isinstance(error, transient)
