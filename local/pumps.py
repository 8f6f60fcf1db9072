"""Carry what the engine holds to the functions that template.yaml names for it, as Lambda's pollers do."""

import logging
import threading
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from local.batches import Batches
from local.cloudformation import QueueProperties, StreamProperties
from local.halt import Halt
from local.invocation import Function, HandlerFailed, Record, message_id, queue_record, sequence_number, stream_record
from local.patterns import Pattern, any_match
from local.streams import StreamReader

if TYPE_CHECKING:
    from types_boto3_sqs import SQSClient
    from types_boto3_sqs.type_defs import DeleteMessageBatchRequestEntryTypeDef, MessageTypeDef

log = logging.getLogger(__name__)

BUSY_SECONDS = 0.05
IDLE_SECONDS = 1.0
"""How long a stream rests unless someone rings."""
WAIT_SECONDS = 1
"""How long the queue is asked for messages at a time, and so how long stopping may take."""
SQS_BATCH = 10
"""Most messages that SQS gives or deletes at once."""


class Pump(Protocol):
    """Carries records until its halt says stop."""

    halt: Halt

    def run(self) -> None:
        """Carry until stopped; for a thread of its own."""


class StreamPump:
    """A table's stream → a function, after what lay in the table before (`backlog`)."""

    def __init__(
        self,
        reader: StreamReader,
        backlog: Callable[[], Iterable[Sequence[Record]]],
        function: Function,
        trigger: StreamProperties,
        halt: Halt,
    ) -> None:
        self.halt = halt
        self._reader = reader
        self._backlog = backlog
        self._patterns = [Pattern(found.pattern) for found in trigger.filter_criteria.filters]
        self._batches = Batches(lambda records: function.failures(records, sequence_number), trigger, halt.pause)

    def run(self) -> None:
        """Carry until stopped."""
        while not self.halt.stopping and not self.halt.patiently(self._replay):
            continue
        while not self.halt.stopping:
            self.halt.patiently(self._carry)

    def _replay(self) -> None:
        self._reader.start()  # first, so that nothing can slip between the two
        for records in self._backlog():
            self._handle(records)

    def _carry(self) -> None:
        carried = 0
        for page in self._reader.poll():
            carried += len(page)
            self._handle([stream_record({**record}, self._reader.arn) for record in page])
        self.halt.pause(BUSY_SECONDS)
        if not carried:
            self.halt.rest(IDLE_SECONDS)

    def _handle(self, records: Sequence[Record]) -> None:
        self._batches.handle([record for record in records if any_match(self._patterns, record)])


class QueuePump:
    """A queue → a function: one thread asks for messages, each batch is handled in a thread of its own."""

    def __init__(
        self, client: "SQSClient", url: str, arn: str, function: Function, trigger: QueueProperties, halt: Halt
    ) -> None:
        self.halt = halt
        self._client = client
        self._url = url
        self._arn = arn
        self._function = function
        self._batch_size = min(SQS_BATCH, trigger.batch_size)
        self._free = threading.BoundedSemaphore(trigger.scaling_config.maximum_concurrency)

    def run(self) -> None:
        """Carry until stopped; batches under way end by themselves, or their messages come again."""
        while not self.halt.stopping:
            if self._free.acquire(timeout=WAIT_SECONDS) and not self._started():
                self._free.release()

    def handle(self, messages: Sequence["MessageTypeDef"]) -> None:
        """Invoke the function once; delete what it handled, and leave the rest to the visibility time-out."""
        records = [queue_record({**message}, self._arn) for message in messages]
        try:
            failed = self._function.failures(records, message_id)
        except HandlerFailed as error:
            log.warning("%s", error)
            return
        handles = [message["ReceiptHandle"] for message in messages if message["MessageId"] not in failed]
        if handles:
            entries: list[DeleteMessageBatchRequestEntryTypeDef] = [
                {"Id": str(index), "ReceiptHandle": handle} for index, handle in enumerate(handles)
            ]
            self._client.delete_message_batch(QueueUrl=self._url, Entries=entries)

    def _started(self) -> bool:
        """Whether there were messages, now in the hands of a thread."""
        received: list[MessageTypeDef] = []
        self.halt.patiently(lambda: received.extend(self._receive()))
        if received:
            threading.Thread(target=self._handle_and_release, args=(received,), daemon=True).start()
        return bool(received)

    def _receive(self) -> list["MessageTypeDef"]:
        answer = self._client.receive_message(
            QueueUrl=self._url,
            MaxNumberOfMessages=self._batch_size,
            WaitTimeSeconds=WAIT_SECONDS,
            MessageSystemAttributeNames=["All"],
            MessageAttributeNames=["All"],
        )
        return answer.get("Messages", [])

    def _handle_and_release(self, messages: Sequence["MessageTypeDef"]) -> None:
        try:
            self.handle(messages)
        except (BotoCoreError, ClientError) as error:
            if not self.halt.stopping:
                log.warning("handled messages will come again: %s", error)
        finally:
            self._free.release()
