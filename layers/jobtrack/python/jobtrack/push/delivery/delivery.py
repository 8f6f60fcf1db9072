"""The delivery of one message: its status, its attempts, and its stored form."""

from typing import TYPE_CHECKING, Any, Self

from msgspec import Struct
from msgspec.structs import replace

from jobtrack import times
from jobtrack.domain.journal import packing
from jobtrack.domain.subscription_states import DeliveryStatus
from jobtrack.push.delivery.attempt import Attempt
from jobtrack.push.messages.message import Message
from jobtrack.push.subscriptions.message_factory import endpoint_group
from jobtrack.push.subscriptions.subscription import Subscription
from jobtrack.store.item_kinds import DELIVERY
from jobtrack.store.ttl import encode_expiry
from jobtrack.times import Micros

if TYPE_CHECKING:
    from types_boto3_dynamodb.type_defs import AttributeValueTypeDef

    from jobtrack.views.responses import deliveries as responses

    Item = dict[str, AttributeValueTypeDef]

KEPT_SECONDS = 7 * 24 * 3600
ATTEMPTS = 50
"""How many attempts are stored: the newest. The schedule makes 18; redeliveries and repetitions add more."""


class Delivery(Struct, frozen=True):
    """A message's delivery so far. The first `concluded` attempts are not repeated."""

    status: DeliveryStatus = DeliveryStatus.PENDING
    concluded: int = 0
    attempts: tuple[Attempt, ...] = ()

    def is_concluded(self, message: Message) -> bool:
        """Return whether nothing is left to do for this copy of the message."""
        return self.status is DeliveryStatus.DELIVERED or self.concluded > message.attempt

    def after(self, message: Message, status: DeliveryStatus, attempt: Attempt | None = None) -> Self:
        """Return the delivery after an attempt, or after the decision to make none."""
        attempts = (*self.attempts, attempt)[-ATTEMPTS:] if attempt else self.attempts
        return type(self)(status, message.attempt + 1, attempts)

    def skipped(self) -> Self:
        """Return the delivery while the circuit breaker is open: the attempt is still to be made."""
        return replace(self, status=DeliveryStatus.SKIPPED)

    @classmethod
    def from_item(cls, item: "Item") -> Self:
        """Return the delivery of a stored item.

        Raises:
            UnreadableFormat: another release stored it.
        """
        attempts = packing.unpack(bytes(DELIVERY.check(item)["d"]["B"]))["attempts"]
        stored = tuple(Attempt(**attempt) for attempt in attempts)
        return cls(DeliveryStatus(item["status"]["S"]), int(item["concluded"]["N"]), stored)

    def to_item(self, message: Message, now: Micros) -> "Item":
        """Return the stored form of the delivery, with the payload for a redelivery."""
        body: dict[str, Any] = {"attempts": self.attempts, "payload": message.payload}
        sequence: AttributeValueTypeDef = {"NULL": True} if message.sequence is None else {"N": str(message.sequence)}
        return {
            **delivery_key(message),
            **DELIVERY.stamp,
            "type": {"S": message.type},
            "sequence": sequence,
            "status": {"S": self.status},
            "concluded": {"N": str(self.concluded)},
            "exp": encode_expiry(times.add_seconds(now, KEPT_SECONDS)),
            "d": {"B": packing.pack(body)},
        }


class StoredDelivery(Struct, frozen=True):
    """A delivery as it is listed, with the message's id, type, sequence and payload."""

    message_id: str
    type: str
    sequence: int | None
    payload: str
    delivery: Delivery

    @classmethod
    def from_item(cls, item: "Item") -> Self:
        """Return the delivery of a stored item.

        Raises:
            UnreadableFormat: another release stored it.
        """
        delivery = Delivery.from_item(item)
        sequence = int(item["sequence"]["N"]) if "N" in item["sequence"] else None
        payload = packing.unpack(bytes(item["d"]["B"]))["payload"]
        return cls(item["sk"]["S"], item["type"]["S"], sequence, payload, delivery)

    def response(self) -> "responses.Delivery":
        """Return the delivery as the API shows it."""
        return {
            "messageId": self.message_id,
            "type": self.type,
            "sequence": self.sequence,
            "status": self.delivery.status,
            "attempts": [
                {
                    "time": times.render(attempt.time),
                    "statusCode": attempt.status_code,
                    "milliseconds": attempt.milliseconds,
                    "error": attempt.error,
                }
                for attempt in self.delivery.attempts
            ],
        }

    def redelivery(self, subscription: Subscription, now: Micros) -> Message:
        """Return the message for another delivery, with a new retry schedule from `now`."""
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


def delivery_key(message: Message) -> "Item":
    """Return the primary key of a message's delivery."""
    return {"pk": {"S": message.subscription_id}, "sk": {"S": message.message_id}}
