"""Poll the streams and queues of the engine, and call the functions that template.yaml names for them."""

import logging
import threading
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from jobtrack import times
from jobtrack.times import Micros
from jobtrack_local.pollers.control import PollerControl
from jobtrack_local.pollers.engine_stream import EngineStream
from jobtrack_local.pollers.failure_records import failure_record
from jobtrack_local.pollers.queue_mapping import QueueMapping
from jobtrack_local.pollers.shard_batches import Discarded
from jobtrack_local.pollers.stream_mapping import StreamMapping
from jobtrack_local.runtime.events import Record

if TYPE_CHECKING:
    from types_boto3_sqs import SQSClient
    from types_boto3_sqs.type_defs import DeleteMessageBatchRequestEntryTypeDef, MessageTypeDef

log = logging.getLogger(__name__)

BUSY_SECONDS = 0.05
IDLE_SECONDS = 1.0
"""How long a stream poller waits, unless it is woken or a retry is due earlier."""
WAIT_SECONDS = 1
"""How long a request for messages waits for one (long polling). Stopping may take as long."""


class Poller(Protocol):
    """Calls a function for a trigger until its control is stopped."""

    control: PollerControl

    def run(self) -> None:
        """Poll until stopped, in a thread of its own."""


class StreamPoller:
    """Calls a function with the records of a table's stream, first with those of the `backlog`."""

    def __init__(
        self,
        stream: EngineStream,
        backlog: Callable[[], Iterable[Sequence[Record]]],
        mapping: StreamMapping,
        control: PollerControl,
        clock: Callable[[], Micros] = times.now,
    ) -> None:
        self.control = control
        self._stream = stream
        self._backlog = backlog
        self._mapping = mapping
        self._clock = clock

    def run(self) -> None:
        """Poll until stopped."""
        while not self.control.stopping and not self.control.attempt(self._begin):
            continue
        while not self.control.stopping:
            self.control.attempt(self._poll)

    def _begin(self) -> None:
        self._stream.start()  # before the backlog is read, so that no record is missed between the two
        for records in self._backlog():
            self._mapping.add_backlog(records)

    def _poll(self) -> None:
        progressed = self._mapping.step()
        self.control.pause(BUSY_SECONDS)
        if not progressed:
            due = self._mapping.next_due
            self.control.wait_for_wake(
                IDLE_SECONDS if due is None else min(IDLE_SECONDS, times.seconds_between(self._clock(), due))
            )


class QueuePoller:
    """Calls a function with the messages of a queue. One thread receives; each batch has a thread of its own."""

    def __init__(self, mapping: QueueMapping, concurrency: int, control: PollerControl) -> None:
        self.control = control
        self._mapping = mapping
        self._free = threading.BoundedSemaphore(concurrency)

    def run(self) -> None:
        """Poll until stopped. Batches in progress finish, or their messages are redelivered."""
        while not self.control.stopping:
            if self._free.acquire(timeout=WAIT_SECONDS) and not self._start_batch():
                self._free.release()

    def _start_batch(self) -> bool:
        """Receive a batch and handle it in a thread; return whether there was one."""
        received: list[MessageTypeDef] = []
        return self.control.attempt(lambda: received.extend(self._mapping.receive())) and self._start_thread(received)

    def _start_thread(self, received: Sequence["MessageTypeDef"]) -> bool:
        if not received:
            return False
        thread = threading.Thread(target=self._handle_and_release, args=(received,), daemon=True)
        return self.control.attempt(thread.start)  # if it cannot start, the messages are redelivered

    def _handle_and_release(self, messages: Sequence["MessageTypeDef"]) -> None:
        try:
            self._mapping.handle(messages)
        except (BotoCoreError, ClientError) as error:
            if not self.control.stopping:
                log.warning("handled messages will be redelivered: %s", error)
        finally:
            self._free.release()


class EngineQueue:
    """A queue on an engine."""

    def __init__(self, client: "SQSClient", url: str, arn: str) -> None:
        self.arn = arn
        self._client = client
        self._url = url

    def receive(self, limit: int) -> Sequence["MessageTypeDef"]:
        """Return visible messages; wait a moment for the first."""
        response = self._client.receive_message(
            QueueUrl=self._url,
            MaxNumberOfMessages=limit,
            WaitTimeSeconds=WAIT_SECONDS,
            MessageSystemAttributeNames=["All"],
            MessageAttributeNames=["All"],
        )
        return response.get("Messages", [])

    def delete(self, handles: Sequence[str]) -> None:
        """Delete the messages with these receipt handles."""
        entries: list[DeleteMessageBatchRequestEntryTypeDef] = [
            {"Id": str(index), "ReceiptHandle": handle} for index, handle in enumerate(handles)
        ]
        self._client.delete_message_batch(QueueUrl=self._url, Entries=entries)


class OnFailureDestination:
    """Logs discarded stream records, and sends their position to the on-failure queue, if there is one."""

    def __init__(self, client: "SQSClient", url: str | None, stream_arn: str, function_arn: str) -> None:
        self._client = client
        self._url = url
        self._stream_arn = stream_arn
        self._function_arn = function_arn

    def send(self, discarded: Discarded, shard: str) -> None:
        """Send the failure record. Errors of the SQS client are raised, and the mapping retries."""
        document = failure_record(discarded, shard, self._stream_arn, self._function_arn, times.now())
        if self._url:
            self._client.send_message(QueueUrl=self._url, MessageBody=document)
        count, reason = len(discarded.records), discarded.condition
        log.error("discarded %d records of the stream (%s): %s", count, reason, document)
