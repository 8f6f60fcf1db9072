"""Events of the stream and the queue for functions: a job's outbox, and the messages of a subscription."""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from threading import Event
from typing import Any

import boto3

from jobtrack_demo.receiver import Gate
from jobtrack_local.runtime import events
from tests.runtime.process import PATIENCE_SECONDS

QUEUE_ARN = "arn:aws:sqs:us-east-1:000000000000:jobtrack-DeliveryQueue"
STREAM_ARN = "arn:aws:dynamodb:us-east-1:000000000000:table/jobtrack-JobsTable/stream/1"
Record = dict[str, Any]


def outbox(table: str, job: Any) -> list[Record]:
    """Return a job's outbox as events of the table's stream; the job is the response to its creation."""
    _, _, tenant, project, *_, name = job["links"]["self"].split("/")
    found = boto3.client("dynamodb").query(
        TableName=table,
        ConsistentRead=True,
        KeyConditionExpression="pk = :job AND begins_with(sk, :outbox)",
        ExpressionAttributeValues={":job": {"S": f"{tenant}#{project}#{name}"}, ":outbox": {"S": "O#"}},
    )
    return [_record(str(number), item) for number, item in enumerate(found["Items"], 1)]


def _record(number: str, item: Mapping[str, Any]) -> Record:
    change = {
        "ApproximateCreationDateTime": datetime.now(UTC),
        "Keys": {name: item[name] for name in ("pk", "sk")},
        "NewImage": item,
        "SequenceNumber": number,
    }
    return events.stream_record({"eventName": "INSERT", "dynamodb": change}, STREAM_ARN)


def taken(url: str, subscription: str) -> Iterator[Record]:
    """Take a subscription's messages from the queue, as events for a function."""
    sqs = boto3.client("sqs")
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        for each in messages:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=each["ReceiptHandle"])
            if subscription in each["Body"]:
                yield events.queue_record(each, QUEUE_ARN)


def told(messages: list[Record]) -> list[tuple[int, str]]:
    """Return the sequence and the webhook-id of each message, sorted."""
    bodies = [json.loads(each["body"]) for each in messages]
    return sorted((body["sequence"], body["message_id"]) for body in bodies)


class Holding(Gate):
    """A receiver that responds only when it is released."""

    def __init__(self) -> None:
        super().__init__("token")
        self.asked, self.let = Event(), Event()
        self.ids: list[str] = []

    def receive(self, headers: Mapping[str, str], body: bytes) -> int:
        """Respond 204 after a delay."""
        self.ids.append(headers["webhook-id"])
        self.asked.set()
        self.let.wait(PATIENCE_SECONDS)
        return 204
