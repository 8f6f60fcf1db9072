"""Poll the streams and queues of the engine, and call the functions that template.yaml names for them."""

import logging
import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from jobtrack import times
from jobtrack.times import Micros
from jobtrack_local.pollers.control import PollerControl
from jobtrack_local.pollers.failure_records import failure_record
from jobtrack_local.pollers.queue_mapping import QueueMapping
from jobtrack_local.pollers.shard_batches import Discarded
from jobtrack_local.pollers.stream_mapping import StreamMapping

if TYPE_CHECKING:
    from types_boto3_sqs import SQSClient
    from types_boto3_sqs.type_defs import DeleteMessageBatchRequestEntryTypeDef, MessageTypeDef

log = logging.getLogger(__name__)

BATCHING_SECONDS = 0.05
"""How long records gather after a batch, so that they are handled together. The first one is handled at once."""
IDLE_SECONDS = 1.0
"""How long a poller waits that an engine's process cannot wake."""


class Poller(Protocol):
    """Calls a function for a trigger until its control is stopped."""

    control: PollerControl

    def run(self) -> None:
        """Poll until stopped, in a thread of its own."""


class StreamPoller:
    """Calls a function with the records of a table's stream.

    Args:
        mapping: Reads the stream and calls the function.
        control: Wakes the poller when there may be records.
        begin: Called before the stream is read, until it succeeds.
        longest_wait: Seconds after which the stream is read even if the poller was not woken.
    """

    def __init__(
        self,
        mapping: StreamMapping,
        control: PollerControl,
        begin: Callable[[], None] = lambda: None,
        longest_wait: float | None = None,
        clock: Callable[[], Micros] = times.now,
    ) -> None:
        self.control = control
        self._mapping = mapping
        self._begin = begin
        self._longest_wait = longest_wait
        self._clock = clock

    def run(self) -> None:
        """Poll until stopped."""
        while not self.control.stopping and not self.control.attempt(self._begin):
            continue
        while not self.control.stopping:
            self.control.attempt(self._poll)

    def _poll(self) -> None:
        if self._mapping.step():
            self.control.pause(BATCHING_SECONDS)
        else:
            self.control.wait_for_wake(self._seconds_to_next())

    def _seconds_to_next(self) -> float | None:
        due = self._mapping.next_due
        if due is None:
            return self._longest_wait
        seconds = max(0.0, times.seconds_between(self._clock(), due))
        return seconds if self._longest_wait is None else min(seconds, self._longest_wait)


class QueuePoller:
    """Calls a function with the messages of a queue. One thread receives; each batch has a thread of its own.

    Args:
        mapping: Receives messages and calls the function.
        concurrency: How many batches are handled at once.
        seconds_to_next: Returns the seconds until a message is due, None if there is none.
        control: Wakes the poller when messages were added.
    """

    def __init__(
        self,
        mapping: QueueMapping,
        concurrency: int,
        seconds_to_next: Callable[[], float | None],
        control: PollerControl,
    ) -> None:
        self.control = control
        self._mapping = mapping
        self._seconds_to_next = seconds_to_next
        self._free = threading.BoundedSemaphore(concurrency)

    def run(self) -> None:
        """Poll until stopped. Batches in progress finish, or their messages are redelivered."""
        while not self.control.stopping:
            if self._free.acquire(timeout=IDLE_SECONDS):
                self.control.attempt(self._poll)

    def _poll(self) -> None:
        count = self._start_batch()
        if not count:
            self._free.release()
            self.control.wait_for_wake(self._seconds_to_next())
        elif count < self._mapping.batch_size:
            self.control.pause(BATCHING_SECONDS)

    def _start_batch(self) -> int:
        """Receive a batch and handle it in a thread; return the number of its messages."""
        received: list[MessageTypeDef] = []
        if self.control.attempt(lambda: received.extend(self._mapping.receive())) and received:
            thread = threading.Thread(target=self._handle_and_release, args=(received,), daemon=True)
            if self.control.attempt(thread.start):
                return len(received)
        return 0  # messages whose thread could not start are redelivered

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
        """Return messages that are due."""
        response = self._client.receive_message(
            QueueUrl=self._url,
            MaxNumberOfMessages=limit,
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
