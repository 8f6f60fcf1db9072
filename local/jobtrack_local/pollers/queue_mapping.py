"""Calls a function with messages of a queue and deletes those that it handled.

Failed messages become visible again after the visibility timeout.
"""

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from jobtrack_local.pollers.batch_responses import Invoke, invoke_batch
from jobtrack_local.runtime.events import message_id, queue_record
from jobtrack_local.runtime.function import HandlerFailed
from jobtrack_local.template.cloudformation import QueueProperties

if TYPE_CHECKING:
    from types_boto3_sqs.type_defs import MessageTypeDef

log = logging.getLogger(__name__)

MAX_RECEIVED = 10
"""The most messages that SQS returns at once."""


class Source(Protocol):
    """A queue."""

    arn: str

    def receive(self, limit: int) -> "Sequence[MessageTypeDef]":
        """Return visible messages, which are then hidden until their visibility timeout ends."""

    def delete(self, handles: Sequence[str]) -> None:
        """Delete the messages with these receipt handles."""


class QueueMapping:
    """Calls a function with the messages of a queue."""

    def __init__(self, source: Source, invoke: Invoke, trigger: QueueProperties) -> None:
        self._source = source
        self._invoke = invoke
        self._trigger = trigger

    def step(self) -> bool:
        """Receive and handle one batch; return whether there was one."""
        messages = self.receive()
        if messages:
            self.handle(messages)
        return bool(messages)

    @property
    def batch_size(self) -> int:
        """The most messages of a batch."""
        return min(MAX_RECEIVED, self._trigger.batch_size)

    def receive(self) -> "Sequence[MessageTypeDef]":
        """Return one batch of messages."""
        return self._source.receive(self.batch_size)

    def handle(self, messages: "Sequence[MessageTypeDef]") -> None:
        """Call the function once, and delete the messages that it handled."""
        records = [queue_record({**message}, self._source.arn) for message in messages]
        try:
            failed = invoke_batch(self._invoke, records, message_id, self._trigger.function_response_types)
        except HandlerFailed as error:
            log.warning("%s", error)
            return
        if handles := [message["ReceiptHandle"] for message in messages if message["MessageId"] not in failed]:
            self._source.delete(handles)
