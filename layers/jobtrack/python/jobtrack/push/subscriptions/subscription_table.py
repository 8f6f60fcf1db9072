"""The subscriptions table."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from jobtrack.keys import JobKey, ProjectKey
from jobtrack.push.subscriptions.subscription import KEPT_SECONDS, Subscription, subscription_key
from jobtrack.retry import RETRY, Retry
from jobtrack.store.batch_reads import read_items
from jobtrack.store.item_kinds import POINTER

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_dynamodb.type_defs import AttributeValueTypeDef, TransactWriteItemTypeDef


class SubscriptionTable(Struct, eq=False):
    """Reads subscriptions, strongly consistent, and returns the actions that change them."""

    dynamodb: "DynamoDBClient"
    name: str
    retry: Retry = RETRY

    def read_subscription(self, job: JobKey, subscription_id: str) -> Subscription | None:
        """Return a subscription of the job, if it has not been deleted."""
        response = self.dynamodb.get_item(
            TableName=self.name, Key=subscription_key(job, subscription_id), ConsistentRead=True
        )
        return Subscription.from_item(response["Item"]) if "Item" in response else None

    def find_subscription(self, owner: ProjectKey, subscription_id: str) -> Subscription | None:
        """Return a subscription of the project, if it has not been deleted."""
        pointer: dict[str, AttributeValueTypeDef] = {"pk": {"S": owner.partition}, "sk": {"S": subscription_id}}
        item = self.dynamodb.get_item(TableName=self.name, Key=pointer, ConsistentRead=True).get("Item")
        if item is None:
            return None
        return self.read_subscription(owner.job_key(POINTER.check(item)["job"]["S"]), subscription_id)

    def read_page(self, job: JobKey, limit: int, after: str | None) -> tuple[list[Subscription], str | None]:
        """Return the job's subscriptions after an id, and the id after which the next page begins, if there is one."""
        response = self.dynamodb.query(
            TableName=self.name,
            ConsistentRead=True,
            KeyConditionExpression="pk = :pk AND sk > :after",
            ExpressionAttributeValues={":pk": {"S": job.partition}, ":after": {"S": after or " "}},
            Limit=limit + 1,
        )
        more = len(response["Items"]) > limit or "LastEvaluatedKey" in response
        page = [Subscription.from_item(item) for item in response["Items"][:limit]]
        return page, page[-1].subscription_id if more else None

    def renew_actions(self, subscription: Subscription, renewed: Subscription) -> "list[TransactWriteItemTypeDef]":
        """Return the actions that change when the subscription expires."""
        item = renewed.to_item()
        names, values = {"#status": "status"}, {":expires": item["expiresAt"], ":exp": item["exp"]}
        condition = {":active": subscription.to_item()["status"], ":seen": subscription.to_item()["expiresAt"]}
        return [
            {
                "Update": {
                    "TableName": self.name,
                    "Key": subscription_key(subscription.job, subscription.subscription_id),
                    "UpdateExpression": "SET expiresAt = :expires, exp = :exp",
                    "ConditionExpression": "#status = :active AND expiresAt = :seen",
                    "ExpressionAttributeNames": names,
                    "ExpressionAttributeValues": {**values, **condition},
                }
            },
            {"Put": {"TableName": self.name, "Item": renewed.pointer_item()}},
            renewed.expiry_timer().put_action(self.name, KEPT_SECONDS),
        ]

    def reseal_action(self, subscription: Subscription, sealed: bytes) -> "TransactWriteItemTypeDef":
        """Return the action that changes the subscription's secrets."""
        return {
            "Update": {
                "TableName": self.name,
                "Key": subscription_key(subscription.job, subscription.subscription_id),
                "UpdateExpression": "SET secrets = :sealed",
                "ConditionExpression": "#status = :active AND secrets = :seen",
                "ExpressionAttributeNames": {"#status": "status"},
                "ExpressionAttributeValues": {
                    ":sealed": {"B": sealed},
                    ":seen": {"B": subscription.sealed},
                    ":active": {"S": "Active"},
                },
            }
        }

    def read_subscriptions(self, job: JobKey, subscription_ids: Sequence[str]) -> list[Subscription]:
        """Return the job's subscriptions with these ids (at most 100), in the order of the ids, without deleted ones.

        Raises:
            Unavailable: the table is too busy to return all of them.
        """
        keys = [subscription_key(job, subscription_id) for subscription_id in subscription_ids]
        items = read_items(self.dynamodb, self.name, keys, retry=self.retry)
        subscriptions = [Subscription.from_item(item) for item in items]
        return sorted(subscriptions, key=lambda subscription: subscription_ids.index(subscription.subscription_id))
