"""The deliveries table: every attempt of every message, kept for a week."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from jobtrack import times
from jobtrack.domain.subscription_states import DeliveryStatus
from jobtrack.push.delivery.attempt import Attempt
from jobtrack.push.delivery.delivery import Delivery, StoredDelivery, delivery_key
from jobtrack.push.messages.message import Message
from jobtrack.store.batch_writes import put_items
from jobtrack.store.transactions import write_conditionally
from jobtrack.store.ttl import decode_expiry
from jobtrack.times import Micros

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_dynamodb.type_defs import AttributeValueTypeDef, TransactWriteItemTypeDef

_AFTER_ALL_IDS = "msg`"
_MANY_ATTEMPTS = 10**9
"""More than any message gets."""


class DeliveryTable(Struct, eq=False):
    """Reads and writes deliveries."""

    dynamodb: "DynamoDBClient"
    name: str
    clock: Callable[[], Micros] = times.now

    def read_delivery(self, message: Message) -> Delivery:
        """Return the message's delivery so far, strongly consistent."""
        response = self.dynamodb.get_item(TableName=self.name, Key=delivery_key(message), ConsistentRead=True)
        return Delivery.from_item(response["Item"]) if "Item" in response else Delivery()

    def put_delivery(self, message: Message, delivery: Delivery) -> None:
        """Store the delivery, unless another copy of the message was delivered, or has made more attempts."""
        # A success is stored in any case.
        concluded = _MANY_ATTEMPTS if delivery.status is DeliveryStatus.DELIVERED else delivery.concluded
        condition = "attribute_not_exists(pk) OR (#status <> :delivered AND concluded <= :concluded)"
        write_conditionally(
            self.dynamodb,
            {
                "Put": {
                    "TableName": self.name,
                    "Item": delivery.to_item(message, self.clock()),
                    "ConditionExpression": condition,
                    "ExpressionAttributeNames": {"#status": "status"},
                    "ExpressionAttributeValues": {
                        ":delivered": {"S": DeliveryStatus.DELIVERED},
                        ":concluded": {"N": str(concluded)},
                    },
                }
            },
        )

    def put_delivered(self, posted: Sequence[tuple[Message, Attempt]]) -> None:
        """Store messages that were delivered at their first attempt."""
        now = self.clock()
        deliveries = [(message, Delivery().after(message, DeliveryStatus.DELIVERED, sent)) for message, sent in posted]
        put_items(self.dynamodb, self.name, [delivery.to_item(message, now) for message, delivery in deliveries])

    def find_delivery(self, subscription_id: str, message_id: str) -> StoredDelivery | None:
        """Return a delivery by its ids, if it has not expired."""
        key: dict[str, AttributeValueTypeDef] = {"pk": {"S": subscription_id}, "sk": {"S": message_id}}
        item = self.dynamodb.get_item(TableName=self.name, Key=key, ConsistentRead=True).get("Item")
        return StoredDelivery.from_item(item) if item and self._is_live(item) else None

    def read_page(
        self, subscription_id: str, limit: int, before: str | None
    ) -> tuple[list[StoredDelivery], str | None]:
        """Return the newest deliveries before a message id, and the id where the next page begins, if there is one."""
        response = self.dynamodb.query(
            TableName=self.name,
            ConsistentRead=True,
            KeyConditionExpression="pk = :pk AND sk < :before",
            ExpressionAttributeValues={":pk": {"S": subscription_id}, ":before": {"S": before or _AFTER_ALL_IDS}},
            ScanIndexForward=False,
            Limit=limit + 1,
        )
        more = len(response["Items"]) > limit or "LastEvaluatedKey" in response
        items = response["Items"][:limit]
        deliveries = [StoredDelivery.from_item(item) for item in items if self._is_live(item)]
        return deliveries, items[-1]["sk"]["S"] if more else None

    def reopen_action(self, stored: StoredDelivery, subscription_id: str) -> "TransactWriteItemTypeDef":
        """Return the action that makes a delivery pending again."""
        return {
            "Update": {
                "TableName": self.name,
                "Key": {"pk": {"S": subscription_id}, "sk": {"S": stored.message_id}},
                "UpdateExpression": "SET #status = :pending",
                "ConditionExpression": "concluded = :concluded",
                "ExpressionAttributeNames": {"#status": "status"},
                "ExpressionAttributeValues": {
                    ":pending": {"S": DeliveryStatus.PENDING},
                    ":concluded": {"N": str(stored.delivery.concluded)},
                },
            }
        }

    def _is_live(self, item: "dict[str, AttributeValueTypeDef]") -> bool:
        """Return whether the delivery may still be shown: DynamoDB deletes expired items later."""
        return decode_expiry(item) > self.clock()
