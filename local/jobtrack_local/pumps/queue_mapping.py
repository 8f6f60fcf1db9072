"""A queue → a function: what it handled is deleted, what failed is left to the visibility time-out."""

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from jobtrack_local.pumps.batch_responses import Invoke, failures
from jobtrack_local.pumps.invocation import HandlerFailed, message_id, queue_record
from jobtrack_local.template.cloudformation import QueueProperties

if TYPE_CHECKING:
    from types_boto3_sqs.type_defs import MessageTypeDef

log = logging.getLogger(__name__)

RECEIVED = 10
"""Most messages that SQS gives at once."""


class Source(Protocol):
    """Where messages wait."""

    arn: str

    def receive(self, most: int) -> "Sequence[MessageTypeDef]":
        """Messages that are due; others do not see them until their visibility time-out is over."""

    def delete(self, handles: Sequence[str]) -> None:
        """Forget the messages with these receipt handles."""


class QueueMapping:
    """Carries a queue's messages to a function."""

    def __init__(self, source: Source, invoke: Invoke, trigger: QueueProperties) -> None:
        self._source = source
        self._invoke = invoke
        self._trigger = trigger

    def step(self) -> bool:
        """Receive and handle one batch; whether there was one."""
        messages = self.receive()
        if messages:
            self.handle(messages)
        return bool(messages)

    def receive(self) -> "Sequence[MessageTypeDef]":
        """One batch."""
        return self._source.receive(min(RECEIVED, self._trigger.batch_size))

    def handle(self, messages: "Sequence[MessageTypeDef]") -> None:
        """Invoke the function once, and delete what it handled."""
        records = [queue_record({**message}, self._source.arn) for message in messages]
        try:
            failed = failures(self._invoke, records, message_id, self._trigger.function_response_types)
        except HandlerFailed as error:
            log.warning("%s", error)
            return
        if handles := [message["ReceiptHandle"] for message in messages if message["MessageId"] not in failed]:
            self._source.delete(handles)
