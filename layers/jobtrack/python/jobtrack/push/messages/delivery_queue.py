"""Handing messages to the delivery queue: in as few requests as its limits allow, none left behind unnoticed."""

import math
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from jobtrack.push.messages.message import Message
from jobtrack.push.messages.wake import Wake
from jobtrack.retry import RETRY, Retry

if TYPE_CHECKING:
    from types_boto3_sqs import SQSClient
    from types_boto3_sqs.type_defs import SendMessageBatchRequestEntryTypeDef

ENTRIES = 10
BATCH_BYTES = 256 * 1024
"""What a batch of entries may weigh together; pure ASCII, so characters are bytes."""
MAX_DELAY_SECONDS = 900
"""The longest DelaySeconds that SQS accepts."""


class QueueError(Exception):
    """The queue did not take every message."""


class DeliveryQueue(Struct, eq=False):
    """The queues that the deliverer serves, one a lane; standard ones, so a message may come twice or out of order."""

    sqs: "SQSClient"
    url: str
    clock: Callable[[], float] = time.time
    retry: Retry = RETRY
    slow_url: str = ""

    def put(self, messages: Sequence[Message | Wake]) -> None:
        """Enqueue all of them, each with the delay until it is due, as far as SQS accepts it.

        Raises:
            QueueError: some were not taken, though tried again; others may have been.
        """
        for url, slow in ((self.url, False), (self.slow_url, True)):
            chosen = [message for message in messages if _slow(message) == slow]
            for batch in _batches([self._entry(index, message) for index, message in enumerate(chosen)]):
                self._put_batch(url, batch)

    def _entry(self, index: int, message: Message | Wake) -> "SendMessageBatchRequestEntryTypeDef":
        return {
            "Id": str(index),
            "MessageBody": message.encode(),
            "DelaySeconds": delay_seconds(message.not_before, self.clock()),
            "MessageGroupId": message.group,
        }

    def _put_batch(self, url: str, batch: "list[SendMessageBatchRequestEntryTypeDef]") -> None:
        for _ in self.retry.attempts():
            failed = self.sqs.send_message_batch(QueueUrl=url, Entries=batch).get("Failed", [])
            if not failed:
                return
            again = {failure["Id"] for failure in failed}
            batch = [entry for entry in batch if entry["Id"] in again]
        raise QueueError(f"{len(batch)} messages were not taken: {failed[0]['Code']}")


def delay_seconds(not_before: float, now: float) -> int:
    """Return the DelaySeconds until a message is due, at most what SQS accepts; 0 when it is due."""
    return min(MAX_DELAY_SECONDS, max(0, math.ceil(not_before - now)))


def _slow(message: Message | Wake) -> bool:
    return isinstance(message, Message) and message.lane == "slow"


def _batches(
    entries: "Sequence[SendMessageBatchRequestEntryTypeDef]",
) -> "Iterator[list[SendMessageBatchRequestEntryTypeDef]]":
    batch: list[SendMessageBatchRequestEntryTypeDef] = []
    size = 0
    for entry in entries:
        added = len(entry["MessageBody"])
        if batch and (len(batch) == ENTRIES or size + added > BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(entry)
        size += added
    if batch:
        yield batch
