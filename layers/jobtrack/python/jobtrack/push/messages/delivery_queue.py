"""The delivery queue: messages are sent in batches, and a message that is refused is never lost silently."""

import math
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from jobtrack import times
from jobtrack.push.messages.message import Message
from jobtrack.push.messages.queue_message import check_format
from jobtrack.push.messages.wake import Wake
from jobtrack.retry import RETRY, Retry
from jobtrack.times import Micros

if TYPE_CHECKING:
    from types_boto3_sqs import SQSClient
    from types_boto3_sqs.type_defs import SendMessageBatchRequestEntryTypeDef

ENTRIES = 10
BATCH_BYTES = 256 * 1024
"""The size limit of a batch; the bodies are pure ASCII, so a character is a byte."""
MAX_DELAY_SECONDS = 900
"""The longest DelaySeconds that SQS accepts."""


class QueueError(Exception):
    """The queue did not accept every message."""


class DeliveryQueue(Struct, eq=False):
    """The queues of the deliverer, one for each lane.

    They are standard queues: a message may arrive twice or out of order.
    """

    sqs: "SQSClient"
    url: str
    clock: Callable[[], Micros] = times.now
    retry: Retry = RETRY
    slow_url: str = ""

    def enqueue(self, messages: Sequence[Message | Wake]) -> None:
        """Enqueue all messages, each with the delay until it is due, at most the longest delay that SQS accepts.

        Raises:
            QueueError: some messages were not accepted after retries. The rest may have been enqueued.
        """
        for url, slow in ((self.url, False), (self.slow_url, True)):
            of_lane = [message for message in messages if _is_slow(message) == slow]
            for batch in _batches([self._entry(index, message) for index, message in enumerate(of_lane)]):
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
            failed_ids = {failure["Id"] for failure in failed}
            batch = [entry for entry in batch if entry["Id"] in failed_ids]
        raise QueueError(f"the queue did not accept {len(batch)} of the messages: {failed[0]['Code']}")


def decode(body: str) -> Message | Wake:
    """Return the message or wake in a body from the queue.

    Raises:
        msgspec.DecodeError: the body is neither.
        UnreadableFormat: another release wrote it.
    """
    check_format(body)
    decoded: Message | Wake = msgspec.json.decode(body, type=Message | Wake)
    return decoded


def delay_seconds(not_before: Micros, now: Micros) -> int:
    """Return the DelaySeconds until a message is due: at least 0, and at most the maximum of SQS."""
    return min(MAX_DELAY_SECONDS, math.ceil(times.seconds_between(now, not_before)))


def _is_slow(message: Message | Wake) -> bool:
    return isinstance(message, Message) and message.lane == "slow"


def _batches(
    entries: "Sequence[SendMessageBatchRequestEntryTypeDef]",
) -> "Iterator[list[SendMessageBatchRequestEntryTypeDef]]":
    batch: list[SendMessageBatchRequestEntryTypeDef] = []
    size = 0
    for entry in entries:
        length = len(entry["MessageBody"])
        if batch and (len(batch) == ENTRIES or size + length > BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(entry)
        size += length
    if batch:
        yield batch
