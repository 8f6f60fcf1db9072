"""The events that Lambda passes to functions: stream records, queue messages and schedules."""

import base64
from collections.abc import Mapping
from datetime import datetime
from uuid import uuid4

from jobtrack import times
from jobtrack.times import Micros

Record = dict[str, object]


def stream_record(record: Mapping[str, object], stream_arn: str) -> Record:
    """Convert a record of GetRecords to what Lambda passes: bytes in base64, times in seconds, and the stream's ARN."""
    plain = {name: _plain(value) for name, value in record.items()}
    if isinstance(identity := record.get("userIdentity"), dict):
        plain["userIdentity"] = {name[0].lower() + name[1:]: value for name, value in identity.items()}
    return {**plain, "eventSourceARN": stream_arn}


def scheduled_event(name: str, time: datetime) -> Record:
    """Return the default event of EventBridge Scheduler for the schedule `name` at a time (UTC)."""
    return {
        "version": "0",
        "id": str(uuid4()),
        "detail-type": "Scheduled Event",
        "source": "aws.scheduler",
        "account": "000000000000",
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": "us-east-1",
        "resources": [f"arn:aws:scheduler:us-east-1:000000000000:schedule/default/{name}"],
        "detail": "{}",
    }


def sequence_number(record: Record) -> str:
    """Return the identifier of a stream record in a batch."""
    return str(_change(record)["SequenceNumber"])


def created_at(record: Record) -> Micros:
    """Return when a stream record was created."""
    return times.add_seconds(times.EPOCH, float(str(_change(record)["ApproximateCreationDateTime"])))


def queue_record(message: Mapping[str, object], queue_arn: str) -> Record:
    """Convert a message of ReceiveMessage to what Lambda passes."""
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
    """Return the identifier of a message in a batch."""
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
