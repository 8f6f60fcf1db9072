"""Subscriptions in DynamoDB."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from jobtrack.keys import JobKey, ProjectKey
from jobtrack.push.subscriptions.subscription import KEPT_SECONDS, Subscription, key
from jobtrack.retry import RETRY, Retry
from jobtrack.store.batch_reads import read_items

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_dynamodb.type_defs import AttributeValueTypeDef, TransactWriteItemTypeDef


class SubscriptionTable(Struct, eq=False):
    """The subscriptions table; every read is strongly consistent."""

    dynamodb: "DynamoDBClient"
    name: str
    retry: Retry = RETRY

    def get(self, job: JobKey, subscription_id: str) -> Subscription | None:
        """One subscription of the job, if it is still known."""
        answer = self.dynamodb.get_item(TableName=self.name, Key=key(job, subscription_id), ConsistentRead=True)
        return Subscription.load(answer["Item"]) if "Item" in answer else None

    def find(self, owner: ProjectKey, subscription_id: str) -> Subscription | None:
        """The project's subscription of that id, if it is still known."""
        pointer: dict[str, AttributeValueTypeDef] = {"pk": {"S": owner.partition}, "sk": {"S": subscription_id}}
        found = self.dynamodb.get_item(TableName=self.name, Key=pointer, ConsistentRead=True).get("Item")
        return self.get(owner.job_key(found["job"]["S"]), subscription_id) if found else None

    def page(self, job: JobKey, limit: int, after: str | None) -> tuple[list[Subscription], str | None]:
        """The job's subscriptions in the order of their ids, beyond one, and after which there are more, if any."""
        answer = self.dynamodb.query(
            TableName=self.name,
            ConsistentRead=True,
            KeyConditionExpression="pk = :pk AND sk > :after",
            ExpressionAttributeValues={":pk": {"S": job.partition}, ":after": {"S": after or " "}},
            Limit=limit + 1,
        )
        found = [Subscription.load(item) for item in answer["Items"]]
        more = len(found) > limit or "LastEvaluatedKey" in answer
        return found[:limit], found[:limit][-1].subscription_id if more else None

    def renewal(self, held: Subscription, renewed: Subscription) -> "list[TransactWriteItemTypeDef]":
        """The parts of a transaction that change until when it lives, and when to look whether it expired."""
        changed = renewed.item()
        names, values = {"#status": "status"}, {":expires": changed["expiresAt"], ":exp": changed["exp"]}
        condition = {":active": held.item()["status"], ":seen": held.item()["expiresAt"]}
        return [
            {
                "Update": {
                    "TableName": self.name,
                    "Key": key(held.job, held.subscription_id),
                    "UpdateExpression": "SET expiresAt = :expires, exp = :exp",
                    "ConditionExpression": "#status = :active AND expiresAt = :seen",
                    "ExpressionAttributeNames": names,
                    "ExpressionAttributeValues": {**values, **condition},
                }
            },
            {"Put": {"TableName": self.name, "Item": renewed.pointer()}},
            renewed.expiry_timer().put_action(self.name, KEPT_SECONDS),
        ]

    def resealing(self, held: Subscription, sealed: bytes) -> "TransactWriteItemTypeDef":
        """The part of a transaction that changes its secrets."""
        return {
            "Update": {
                "TableName": self.name,
                "Key": key(held.job, held.subscription_id),
                "UpdateExpression": "SET secrets = :sealed",
                "ConditionExpression": "#status = :active AND secrets = :seen",
                "ExpressionAttributeNames": {"#status": "status"},
                "ExpressionAttributeValues": {
                    ":sealed": {"B": sealed},
                    ":seen": {"B": held.sealed},
                    ":active": {"S": "Active"},
                },
            }
        }

    def get_many(self, job: JobKey, subscription_ids: Sequence[str]) -> list[Subscription]:
        """Those of the job's subscriptions (at most 100) that are still known, in the order asked for.

        Raises:
            Unavailable: the table is too busy to return all of them.
        """
        keys = [key(job, subscription_id) for subscription_id in subscription_ids]
        items = read_items(self.dynamodb, self.name, keys, retry=self.retry)
        found = [Subscription.load(item) for item in items]
        return sorted(found, key=lambda one: subscription_ids.index(one.subscription_id))
