"""Write the samples in events/ that contain our own encodings: an outbox record and a message of the delivery queue."""

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

from jobtrack import times
from jobtrack.keys import JobKey
from jobtrack.push.subscriptions.message_factory import event_message
from jobtrack.push.subscriptions.subscription import Filters, Subscription
from jobtrack.store.item_kinds import OUTBOX_RECORD
from jobtrack.store.outbox_records import EventBatch, OutboxEvent, encode
from jobtrack.store.ttl import encode_expiry

EVENTS = Path(__file__).parent.parent / "events"
JOB = JobKey(
    "7d1c3b5e-2f4a-4c8e-9b6d-0a1f2e3d4c5b",
    "1f0e8400-e29b-41d4-a716-446655440000",
    "cc0e8400-e29b-41d4-a716-446655440000",
)
JOB_NAME = "Customer Journey Analysis"
SUBSCRIPTION = "sub-123e8400-e29b-41d4-a716-446655440000"
NOW = times.parse("2026-11-23T10:45:33Z")
REGION, ACCOUNT = "ap-northeast-1", "123456789012"

COMPLETED = OutboxEvent(
    type="stageCompleted",
    sequence=12,
    time=NOW,
    status="Running",
    percentage=25,
    data={"stageName": "Data Loading", "recordsProcessed": 192850, "metrics": {"dataValidated": True}},
    labels={"ja": "データ読み込み", "en": "Data loading"},
)


def outbox_record() -> dict[str, Any]:
    """Return a batch of events, as the table's stream sends it to the dispatcher."""
    packed = base64.b64encode(encode(EventBatch(JOB, JOB_NAME, (SUBSCRIPTION,), (COMPLETED,)))).decode()
    keys = {"pk": {"S": JOB.partition}, "sk": {"S": f"O#{COMPLETED.sequence:012d}"}}
    change = {
        "ApproximateCreationDateTime": times.epoch_seconds(NOW),
        "Keys": keys,
        "NewImage": {
            **keys,
            **OUTBOX_RECORD.stamp,
            "exp": encode_expiry(times.add_seconds(NOW, 86400)),
            "d": {"B": packed},
        },
        "SequenceNumber": "4421584500000000017450439091",
        "SizeBytes": 181 + len(packed) * 3 // 4,
        "StreamViewType": "NEW_IMAGE",
    }
    source = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/jobtrack-JobsTable/stream/2026-11-23T03:49:41.000"
    return {
        "eventID": "c4ca4238a0b923820dcc509a6f75849b",
        "eventName": "INSERT",
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": REGION,
        "dynamodb": change,
        "eventSourceARN": source,
    }


def delivery_message() -> dict[str, Any]:
    """Return the message for that batch, as the queue sends it to the deliverer."""
    subscription = Subscription(
        job=JOB,
        subscription_id=SUBSCRIPTION,
        type="webhook",
        url="https://hooks.example.com/jobs",
        events=("stageCompleted",),
        filters=Filters(),
        language="ja",
        created_at=times.add_seconds(NOW, -900),
        expires_at=times.add_seconds(NOW, 27900),
        sealed=b"",
    )
    message = event_message(JOB, JOB_NAME, subscription, COMPLETED, NOW)
    assert message is not None  # noqa: S101 - the subscription is for this event
    body = message.encode()
    return {
        "messageId": "059f36b4-87a3-44ab-83d2-661975830a7d",
        "receiptHandle": "AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a",
        "body": body,
        "attributes": {
            "ApproximateReceiveCount": "1",
            "SentTimestamp": str(NOW // 1000 + 120),
            "SenderId": "AROAEXAMPLE:jobtrack-DispatcherFunction",
            "ApproximateFirstReceiveTimestamp": str(NOW // 1000 + 133),
        },
        "messageAttributes": {},
        "md5OfBody": hashlib.md5(body.encode(), usedforsecurity=False).hexdigest(),
        "eventSource": "aws:sqs",
        "eventSourceARN": f"arn:aws:sqs:{REGION}:{ACCOUNT}:jobtrack-DeliveryQueue",
        "awsRegion": REGION,
    }


def write(name: str, record: dict[str, Any]) -> None:
    """Save an event that contains this record."""
    (EVENTS / name).write_text(json.dumps({"Records": [record]}, indent=2, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    write("outbox-record.json", outbox_record())
    write("delivery-message.json", delivery_message())
