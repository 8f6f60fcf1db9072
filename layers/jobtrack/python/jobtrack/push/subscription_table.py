"""Subscriptions in DynamoDB."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from jobtrack.keys import JobKey
from jobtrack.push.subscription import Subscription, key

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_dynamodb.type_defs import AttributeValueTypeDef, KeysAndAttributesTypeDef

TRIES = 6
PAUSE_SECONDS = 0.05


class ReadError(Exception):
    """The table did not give all that was asked for."""


@dataclass(slots=True)
class SubscriptionTable:
    """The subscriptions table; every read is strongly consistent."""

    dynamodb: "DynamoDBClient"
    name: str
    sleep: Callable[[float], None] = time.sleep

    def get(self, job: JobKey, subscription_id: str) -> Subscription | None:
        """One subscription of the job, if it is still known."""
        answer = self.dynamodb.get_item(TableName=self.name, Key=key(job, subscription_id), ConsistentRead=True)
        return Subscription.load(answer["Item"]) if "Item" in answer else None

    def get_many(self, job: JobKey, subscription_ids: Sequence[str]) -> list[Subscription]:
        """Those of the job's subscriptions (at most 100) that are still known, in the order asked for.

        Raises:
            ReadError: the table is too busy to give them all.
        """
        keys = [key(job, subscription_id) for subscription_id in subscription_ids]
        found = [Subscription.load(item) for item in self._read(keys)] if keys else []
        return sorted(found, key=lambda one: subscription_ids.index(one.subscription_id))

    def _read(self, keys: "Sequence[dict[str, AttributeValueTypeDef]]") -> "list[dict[str, AttributeValueTypeDef]]":
        items: list[dict[str, AttributeValueTypeDef]] = []
        wanted: KeysAndAttributesTypeDef = {"Keys": keys, "ConsistentRead": True}
        for tried in range(TRIES):
            answer = self.dynamodb.batch_get_item(RequestItems={self.name: wanted})
            items += answer["Responses"].get(self.name, [])
            if not (rest := answer.get("UnprocessedKeys", {})):
                return items
            wanted = {**wanted, "Keys": rest[self.name]["Keys"]}
            self.sleep(PAUSE_SECONDS * 2**tried)
        raise ReadError("the subscriptions table is too busy")

    def end(self, subscription: Subscription, reason: str) -> None:
        """End an active subscription; one that ended already keeps its reason."""
        try:
            self.dynamodb.update_item(
                TableName=self.name,
                Key=key(subscription.job, subscription.subscription_id),
                UpdateExpression="SET #status = :ended, endReason = :reason",
                ConditionExpression="#status = :active",
                ExpressionAttributeNames={"#status": "status"},
                ExpressionAttributeValues={
                    ":ended": {"S": "Ended"},
                    ":active": {"S": "Active"},
                    ":reason": {"S": reason},
                },
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise
