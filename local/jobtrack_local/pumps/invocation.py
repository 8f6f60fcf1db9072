"""Calls a function's handler as Lambda does: its events, its context, its answers about single records."""

import base64
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import ModuleType
from typing import Protocol, TypeVar
from uuid import uuid4

from jobtrack_local.engine import calls
from jobtrack_local.errors import LocalError
from jobtrack_local.stack import load_function
from jobtrack_local.template.cloudformation import FunctionProperties

Record = dict[str, object]
ResultT = TypeVar("ResultT")


class Handler(Protocol):
    """A function's entry point."""

    def __call__(self, event: dict[str, object], context: object, /) -> object:
        """Handle one event."""


class HandlerFailed(Exception):
    """The handler raised, or its answer cannot be what it means: the whole batch counts as failed."""


@dataclass(frozen=True)
class Context:
    """What Lambda tells a handler of its invocation; times in seconds of a steady clock."""

    function_name: str
    memory_limit_in_mb: int
    deadline: float
    clock: Callable[[], float]
    aws_request_id: str = field(default_factory=lambda: str(uuid4()))
    function_version: str = "$LATEST"
    log_group_name: str = "local"
    log_stream_name: str = "local"

    @property
    def invoked_function_arn(self) -> str:
        """An ARN in the form of AWS."""
        return arn(self.function_name)

    def get_remaining_time_in_millis(self) -> int:
        """How long the invocation may still take."""
        return max(0, int((self.deadline - self.clock()) * 1000))


class Function:
    """A function of template.yaml, with its handler loaded."""

    def __init__(
        self, name: str, handler: Handler, properties: FunctionProperties, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.name = name
        self._handler = handler
        self._properties = properties
        self._clock = clock

    def serve(self, records: Sequence[Record]) -> object:
        """Invoke with the records of a stream or queue; the answer. HandlerFailed when it raises."""
        return self.call({"Records": list(records)}, lambda answer: answer)

    def call(self, event: dict[str, object], read: Callable[[object], ResultT]) -> ResultT:
        """Invoke with the event, and read the answer; HandlerFailed when either raises."""
        try:
            return read(self._handler(event, self._context()))
        except Exception as error:  # whatever a handler raises fails its event
            raise HandlerFailed(f"{self.name}: {type(error).__name__}: {error}") from error

    def _context(self) -> Context:
        deadline = self._clock() + self._properties.timeout
        return Context(self.name, self._properties.memory_size, deadline, self._clock)


def arn(name: str) -> str:
    """A function's ARN, in the form of AWS."""
    return f"arn:aws:lambda:us-east-1:000000000000:function:{name}"


def load(name: str, properties: FunctionProperties) -> Function:
    """Import the function's module and take its handler."""
    handler = getattr(load_module(properties), "handler", None)
    if handler is None:
        raise LocalError(f"{properties.code_uri}/app.py has no handler")
    return Function(name, handler, properties)


def load_module(properties: FunctionProperties) -> ModuleType:
    """Return the module that `Handler: app.handler` means in the function's folder."""
    with calls.of(properties.code_uri):
        return load_function(properties.code_uri)


def stream_record(record: Mapping[str, object], stream_arn: str) -> Record:
    """A record of GetRecords as Lambda passes it: bytes in base64, the time in seconds, the stream's ARN."""
    return {**{name: _plain(value) for name, value in record.items()}, "eventSourceARN": stream_arn}


def scheduled_event(name: str, moment: datetime) -> Record:
    """What EventBridge Scheduler sends at a moment (UTC) of the schedule `name`, unless told otherwise."""
    return {
        "version": "0",
        "id": str(uuid4()),
        "detail-type": "Scheduled Event",
        "source": "aws.scheduler",
        "account": "000000000000",
        "time": moment.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": "us-east-1",
        "resources": [f"arn:aws:scheduler:us-east-1:000000000000:schedule/default/{name}"],
        "detail": "{}",
    }


def sequence_number(record: Record) -> str:
    """What identifies a stream record in a batch."""
    return str(_change(record)["SequenceNumber"])


def created(record: Record) -> float:
    """When a stream record was made, in seconds since 1970."""
    return float(str(_change(record)["ApproximateCreationDateTime"]))


def queue_record(message: Mapping[str, object], queue_arn: str) -> Record:
    """A message of ReceiveMessage as Lambda passes it."""
    attributes = message.get("MessageAttributes")
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": message.get("Attributes", {}),
        "messageAttributes": _message_attributes(attributes if isinstance(attributes, dict) else {}),
        "md5OfBody": message.get("MD5OfBody"),
        "eventSource": "aws:sqs",
        "eventSourceARN": queue_arn,
        "awsRegion": queue_arn.split(":")[3],
    }


def message_id(record: Record) -> str:
    """What identifies a message in a batch."""
    return str(record["messageId"])


def _change(record: Record) -> Mapping[str, object]:
    change = record["dynamodb"]
    return change if isinstance(change, dict) else {}


def _plain(value: object) -> object:
    match value:
        case bytes():
            return base64.b64encode(value).decode()
        case datetime():
            return int(value.timestamp())
        case dict():
            return {name: _plain(inner) for name, inner in value.items()}
        case list():
            return [_plain(inner) for inner in value]
    return value


def _message_attributes(attributes: Mapping[str, Mapping[str, object]]) -> dict[str, object]:
    return {
        name: {
            "stringValue": value.get("StringValue"),
            "stringListValues": [],
            "binaryListValues": [],
            "dataType": value.get("DataType"),
        }
        for name, value in attributes.items()
    }
