"""What became of each message: every attempt, kept for a week, with the payload for another try by hand."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self

from jobtrack import times
from jobtrack.classes import frozen, service
from jobtrack.domain.journal import packing
from jobtrack.push.messages.message import Message
from jobtrack.push.subscriptions.message_factory import endpoint_group
from jobtrack.push.subscriptions.subscription import Subscription
from jobtrack.store.batch_writes import put_items
from jobtrack.store.transactions import write_conditionally

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_dynamodb.type_defs import AttributeValueTypeDef, TransactWriteItemTypeDef

_LAST = "msg`"
"""After every message's id."""
KEPT_SECONDS = 7 * 24 * 3600
_MANY = 10**9
"""More attempts than any message gets."""
ATTEMPTS = 50
"""How many attempts are kept, the newest; the schedule makes 18, retries by hand and repeats come on top."""


@frozen
class Attempt:
    """One try: when (µs), how long it took, and what came of it."""

    time: int
    milliseconds: int
    status_code: int | None = None
    error: str | None = None


@frozen
class Delivery:
    """A message's fate so far: Pending, Delivered, Failed or Skipped; `concluded` attempts need no repetition."""

    status: str = "Pending"
    concluded: int = 0
    attempts: tuple[Attempt, ...] = ()

    def settles(self, message: Message) -> bool:
        """Whether nothing is left to do for this copy of the message."""
        return self.status == "Delivered" or self.concluded > message.attempt

    def after(self, message: Message, status: str, attempt: Attempt | None = None) -> Self:
        """The delivery after an attempt, or after the decision to make none."""
        attempts = (*self.attempts, attempt)[-ATTEMPTS:] if attempt else self.attempts
        return type(self)(status, message.attempt + 1, attempts)

    def skipped(self) -> Self:
        """The delivery while its endpoint is not to be sent to: the attempt is still to be made."""
        return replace(self, status="Skipped")

    @classmethod
    def load(cls, item: "dict[str, AttributeValueTypeDef]") -> Self:
        """Read what was stored."""
        attempts = packing.unpack(bytes(item["d"]["B"]))["attempts"]
        return cls(item["status"]["S"], int(item["concluded"]["N"]), tuple(Attempt(**each) for each in attempts))

    def item(self, message: Message, now: float) -> "dict[str, AttributeValueTypeDef]":
        """The delivery as stored."""
        body: dict[str, Any] = {"attempts": self.attempts, "payload": message.payload}
        sequence: AttributeValueTypeDef = {"NULL": True} if message.sequence is None else {"N": str(message.sequence)}
        return {
            **key(message),
            "type": {"S": message.type},
            "sequence": sequence,
            "status": {"S": self.status},
            "concluded": {"N": str(self.concluded)},
            "exp": {"N": str(int(now) + KEPT_SECONDS)},
            "d": {"B": packing.pack(body)},
        }


@frozen
class StoredDelivery:
    """A delivery as it is listed: the message's id, type and sequence, its payload, and what became of it."""

    message_id: str
    type: str
    sequence: int | None
    payload: str
    delivery: Delivery

    @classmethod
    def load(cls, item: "dict[str, AttributeValueTypeDef]") -> Self:
        """Read what was stored."""
        sequence = int(item["sequence"]["N"]) if "N" in item["sequence"] else None
        payload = packing.unpack(bytes(item["d"]["B"]))["payload"]
        return cls(item["sk"]["S"], item["type"]["S"], sequence, payload, Delivery.load(item))

    def answer(self) -> dict[str, Any]:
        """The delivery as the API shows it."""
        return {
            "messageId": self.message_id,
            "type": self.type,
            "sequence": self.sequence,
            "status": self.delivery.status,
            "attempts": [
                {
                    "time": times.render(each.time),
                    "statusCode": each.status_code,
                    "milliseconds": each.milliseconds,
                    "error": each.error,
                }
                for each in self.delivery.attempts
            ],
        }

    def again(self, subscription: Subscription, now: float) -> Message:
        """The message for another try, with which its schedule begins anew."""
        concluded = self.delivery.concluded
        return Message(
            job=subscription.job,
            subscription_id=subscription.subscription_id,
            message_id=self.message_id,
            type=self.type,
            sequence=self.sequence,
            payload=self.payload,
            group=endpoint_group(subscription),
            first_at=now,
            attempt=concluded,
            earlier=concluded,
        )


@service
class DeliveryTable:
    """The deliveries table."""

    dynamodb: "DynamoDBClient"
    name: str
    clock: Callable[[], float] = time.time

    def get(self, message: Message) -> Delivery:
        """What became of the message so far, strongly consistent."""
        answer = self.dynamodb.get_item(TableName=self.name, Key=key(message), ConsistentRead=True)
        return Delivery.load(answer["Item"]) if "Item" in answer else Delivery()

    def put(self, message: Message, delivery: Delivery) -> None:
        """Record the state, unless another copy of the message was delivered meanwhile, or is an attempt ahead."""
        ahead = _MANY if delivery.status == "Delivered" else delivery.concluded  # a success is told in any case
        condition = "attribute_not_exists(pk) OR (#status <> :delivered AND concluded <= :concluded)"
        write_conditionally(
            self.dynamodb,
            {
                "Put": {
                    "TableName": self.name,
                    "Item": delivery.item(message, self.clock()),
                    "ConditionExpression": condition,
                    "ExpressionAttributeNames": {"#status": "status"},
                    "ExpressionAttributeValues": {":delivered": {"S": "Delivered"}, ":concluded": {"N": str(ahead)}},
                }
            },
        )

    def put_delivered(self, posted: Sequence[tuple[Message, Attempt]]) -> None:
        """Record messages that were delivered at their first attempt, as far as anyone knows."""
        now = self.clock()
        put_items(
            self.dynamodb,
            self.name,
            [Delivery().after(message, "Delivered", attempt).item(message, now) for message, attempt in posted],
        )

    def find(self, subscription_id: str, message_id: str) -> StoredDelivery | None:
        """A delivery by its ids, if it is still kept."""
        key: dict[str, AttributeValueTypeDef] = {"pk": {"S": subscription_id}, "sk": {"S": message_id}}
        item = self.dynamodb.get_item(TableName=self.name, Key=key, ConsistentRead=True).get("Item")
        return StoredDelivery.load(item) if item and self._kept(item) else None

    def page(self, subscription_id: str, limit: int, before: str | None) -> tuple[list[StoredDelivery], str | None]:
        """The newest deliveries, or those before one, and the message before which there are more, if there are."""
        answer = self.dynamodb.query(
            TableName=self.name,
            ConsistentRead=True,
            KeyConditionExpression="pk = :pk AND sk < :before",
            ExpressionAttributeValues={":pk": {"S": subscription_id}, ":before": {"S": before or _LAST}},
            ScanIndexForward=False,
            Limit=limit + 1,
        )
        items = answer["Items"]
        more = len(items) > limit or "LastEvaluatedKey" in answer
        shown = items[:limit]
        return [StoredDelivery.load(item) for item in shown if self._kept(item)], shown[-1]["sk"]["S"] if more else None

    def reopening(self, kept: StoredDelivery, subscription_id: str) -> "TransactWriteItemTypeDef":
        """The part of a transaction by which a delivery waits for another try."""
        return {
            "Update": {
                "TableName": self.name,
                "Key": {"pk": {"S": subscription_id}, "sk": {"S": kept.message_id}},
                "UpdateExpression": "SET #status = :pending",
                "ConditionExpression": "concluded = :concluded",
                "ExpressionAttributeNames": {"#status": "status"},
                "ExpressionAttributeValues": {
                    ":pending": {"S": "Pending"},
                    ":concluded": {"N": str(kept.delivery.concluded)},
                },
            }
        }

    def _kept(self, item: "dict[str, AttributeValueTypeDef]") -> bool:
        """Whether it is not yet too old to be shown: DynamoDB deletes later."""
        return int(item["exp"]["N"]) > self.clock()


def key(message: Message) -> "dict[str, AttributeValueTypeDef]":
    """Where a message's delivery is stored."""
    return {"pk": {"S": message.subscription_id}, "sk": {"S": message.message_id}}
