"""The calls of boto3's SQS client by which this project sends, over queues in memory."""

from collections.abc import Callable, Mapping, Sequence
from typing import TypedDict

from botocore.exceptions import ClientError

from jobtrack.times import Micros
from jobtrack_local.template import intrinsics
from jobtrack_local.template.cloudformation import QueueSettings
from tests.simulators.memory_queue import MESSAGE_BYTES, MemoryQueue, refused
from tests.simulators.recursive_loops import Lineage

ENTRIES = 10


class Entry(TypedDict, total=False):
    """A message of a batch."""

    Id: str
    MessageBody: str
    DelaySeconds: int
    MessageGroupId: str


class Taken(TypedDict):
    """The result of an accepted entry."""

    Id: str
    MessageId: str


class Failed(TypedDict):
    """The result of a refused entry."""

    Id: str
    Code: str
    SenderFault: bool


class Answer(TypedDict):
    """The result of a batch."""

    Successful: list[Taken]
    Failed: list[Failed]


class MemorySqs:
    """Queues by name; a queue's URL ends in it. `lineage` is that of the functions that send."""

    def __init__(self, queues: Mapping[str, MemoryQueue], lineage: Lineage | None = None) -> None:
        self.queues = queues
        self.lineage = lineage or Lineage()

    def send_message(
        self, *, QueueUrl: str, MessageBody: str, DelaySeconds: int = 0, MessageGroupId: str | None = None
    ) -> dict[str, str]:
        """Put one message."""
        queue = self._queue(QueueUrl)
        return {"MessageId": queue.send(MessageBody, DelaySeconds, MessageGroupId, self.lineage.header)}

    def send_message_batch(self, *, QueueUrl: str, Entries: Sequence[Entry]) -> Answer:
        """Put up to ten messages, each of which may be refused by itself."""
        _check(Entries)
        queue, answer = self._queue(QueueUrl), Answer(Successful=[], Failed=[])
        for entry in Entries:
            try:
                delay, group = entry.get("DelaySeconds", 0), entry.get("MessageGroupId")
                sent = queue.send(entry["MessageBody"], delay, group, self.lineage.header)
            except ClientError as error:
                code = str(error.response["Error"]["Code"])
                answer["Failed"].append({"Id": entry["Id"], "Code": code, "SenderFault": True})
            else:
                answer["Successful"].append({"Id": entry["Id"], "MessageId": sent})
        return answer

    def _queue(self, url: str) -> MemoryQueue:
        return self.queues[url.rsplit("/", 1)[-1]]


def queues(settings: Mapping[str, QueueSettings], clock: Callable[[], Micros]) -> dict[str, MemoryQueue]:
    """The queues of template.yaml by logical id, with their dead letters."""
    made = {
        name: MemoryQueue(
            arn=f"arn:aws:sqs:us-east-1:000000000000:{name}",
            visibility_timeout=found.visibility_timeout,
            retention=found.message_retention_period,
            clock=clock,
        )
        for name, found in settings.items()
    }
    for name, found in settings.items():
        if found.redrive_policy:
            made[name].max_receive_count = found.redrive_policy.max_receive_count
            made[name].dead_letters = made[intrinsics.target(found.redrive_policy.dead_letter_target_arn)]
    return made


def _check(entries: Sequence[Entry]) -> None:
    names = [entry["Id"] for entry in entries]
    if not names:
        raise refused("AWS.SimpleQueueService.EmptyBatchRequest", "SendMessageBatch")
    if len(names) > ENTRIES:
        raise refused("AWS.SimpleQueueService.TooManyEntriesInBatchRequest", "SendMessageBatch")
    if len({*names}) < len(names):
        raise refused("AWS.SimpleQueueService.BatchEntryIdsNotDistinct", "SendMessageBatch")
    if sum(len(entry["MessageBody"].encode()) for entry in entries) > MESSAGE_BYTES:
        raise refused("AWS.SimpleQueueService.BatchRequestTooLong", "SendMessageBatch")
