"""Carry what the engine holds to the functions that template.yaml names for it, by the rules of Lambda's pollers."""

import logging
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from jobtrack_local.engine.streams import EngineStream
from jobtrack_local.pumps.failure_pointers import pointer
from jobtrack_local.pumps.halt import Halt
from jobtrack_local.pumps.invocation import Record
from jobtrack_local.pumps.queue_mapping import QueueMapping
from jobtrack_local.pumps.shard_batches import Lost
from jobtrack_local.pumps.stream_mapping import StreamMapping

if TYPE_CHECKING:
    from types_boto3_sqs import SQSClient
    from types_boto3_sqs.type_defs import DeleteMessageBatchRequestEntryTypeDef, MessageTypeDef

log = logging.getLogger(__name__)

BUSY_SECONDS = 0.05
IDLE_SECONDS = 1.0
"""How long a stream rests unless someone rings, or a record is to be tried again."""
WAIT_SECONDS = 1
"""How long the queue is asked for messages at a time, and so how long stopping may take."""


class Pump(Protocol):
    """Carries records until its halt says stop."""

    halt: Halt

    def run(self) -> None:
        """Carry until stopped; for a thread of its own."""


class StreamPump:
    """A table's stream → a function, after what lay in the table before (`backlog`)."""

    def __init__(
        self,
        stream: EngineStream,
        backlog: Callable[[], Iterable[Sequence[Record]]],
        mapping: StreamMapping,
        halt: Halt,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.halt = halt
        self._stream = stream
        self._backlog = backlog
        self._mapping = mapping
        self._clock = clock

    def run(self) -> None:
        """Carry until stopped."""
        while not self.halt.stopping and not self.halt.patiently(self._begin):
            continue
        while not self.halt.stopping:
            self.halt.patiently(self._carry)

    def _begin(self) -> None:
        self._stream.start()  # first, so that nothing can slip between the two
        for records in self._backlog():
            self._mapping.take(records)

    def _carry(self) -> None:
        carried = self._mapping.step()
        self.halt.pause(BUSY_SECONDS)
        if not carried:
            due = self._mapping.due
            self.halt.rest(IDLE_SECONDS if due is None else min(IDLE_SECONDS, max(0.0, due - self._clock())))


class QueuePump:
    """A queue → a function: one thread asks for messages, each batch is handled in a thread of its own."""

    def __init__(self, mapping: QueueMapping, concurrency: int, halt: Halt) -> None:
        self.halt = halt
        self._mapping = mapping
        self._free = threading.BoundedSemaphore(concurrency)

    def run(self) -> None:
        """Carry until stopped; batches under way end by themselves, or their messages come again."""
        while not self.halt.stopping:
            if self._free.acquire(timeout=WAIT_SECONDS) and not self._started():
                self._free.release()

    def _started(self) -> bool:
        """Whether there were messages, now in the hands of a thread."""
        received: list[MessageTypeDef] = []
        return self.halt.patiently(lambda: received.extend(self._mapping.receive())) and self._handed_over(received)

    def _handed_over(self, received: Sequence["MessageTypeDef"]) -> bool:
        if not received:
            return False
        thread = threading.Thread(target=self._handle_and_release, args=(received,), daemon=True)
        return self.halt.patiently(thread.start)  # messages that no thread can take come again

    def _handle_and_release(self, messages: Sequence["MessageTypeDef"]) -> None:
        try:
            self._mapping.handle(messages)
        except (BotoCoreError, ClientError) as error:
            if not self.halt.stopping:
                log.warning("handled messages will come again: %s", error)
        finally:
            self._free.release()


class EngineQueue:
    """A queue on an engine."""

    def __init__(self, client: "SQSClient", url: str, arn: str) -> None:
        self.arn = arn
        self._client = client
        self._url = url

    def receive(self, most: int) -> Sequence["MessageTypeDef"]:
        """Messages that are due, for which it waits a moment."""
        answer = self._client.receive_message(
            QueueUrl=self._url,
            MaxNumberOfMessages=most,
            WaitTimeSeconds=WAIT_SECONDS,
            MessageSystemAttributeNames=["All"],
            MessageAttributeNames=["All"],
        )
        return answer.get("Messages", [])

    def delete(self, handles: Sequence[str]) -> None:
        """Forget the messages."""
        entries: list[DeleteMessageBatchRequestEntryTypeDef] = [
            {"Id": str(index), "ReceiptHandle": handle} for index, handle in enumerate(handles)
        ]
        self._client.delete_message_batch(QueueUrl=self._url, Entries=entries)


class Destination:
    """Tells of what a stream's mapping gave up, and sends a pointer to it to the on-failure queue, if there is one."""

    def __init__(self, client: "SQSClient", url: str | None, stream_arn: str, function_arn: str) -> None:
        self._client = client
        self._url = url
        self._stream_arn = stream_arn
        self._function_arn = function_arn

    def give_up(self, lost: Lost, shard: str) -> None:
        """Send the pointer; what a client of SQS raises when it is not taken."""
        document = pointer(lost, shard, self._stream_arn, self._function_arn, time.time())
        if self._url:
            self._client.send_message(QueueUrl=self._url, MessageBody=document)
        log.error("gave up %d records of the stream (%s): %s", len(lost.records), lost.condition, document)
