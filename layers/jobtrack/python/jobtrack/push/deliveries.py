"""What became of each message: every attempt, kept for a week, with the payload for another try by hand."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from botocore.exceptions import ClientError

from jobtrack import packing
from jobtrack.push.messages import Message

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_dynamodb.type_defs import AttributeValueTypeDef

KEPT_SECONDS = 7 * 24 * 3600
ATTEMPTS = 50
"""How many attempts are kept, the newest; the schedule makes 18, retries by hand and repeats come on top."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try: when (µs), how long it took, and what came of it."""

    time: int
    milliseconds: int
    status_code: int | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
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
            **_key(message),
            "type": {"S": message.type},
            "sequence": sequence,
            "status": {"S": self.status},
            "concluded": {"N": str(self.concluded)},
            "exp": {"N": str(int(now) + KEPT_SECONDS)},
            "d": {"B": packing.pack(body)},
        }


@dataclass(slots=True)
class DeliveryTable:
    """The deliveries table."""

    dynamodb: "DynamoDBClient"
    name: str
    clock: Callable[[], float] = time.time

    def get(self, message: Message) -> Delivery:
        """What became of the message so far, strongly consistent."""
        answer = self.dynamodb.get_item(TableName=self.name, Key=_key(message), ConsistentRead=True)
        return Delivery.load(answer["Item"]) if "Item" in answer else Delivery()

    def put(self, message: Message, delivery: Delivery) -> None:
        """Record the state, unless another copy of the message was delivered meanwhile."""
        try:
            self.dynamodb.put_item(
                TableName=self.name,
                Item=delivery.item(message, self.clock()),
                ConditionExpression="attribute_not_exists(pk) OR #status <> :delivered",
                ExpressionAttributeNames={"#status": "status"},
                ExpressionAttributeValues={":delivered": {"S": "Delivered"}},
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise


def _key(message: Message) -> "dict[str, AttributeValueTypeDef]":
    return {"pk": {"S": message.subscription_id}, "sk": {"S": message.message_id}}
