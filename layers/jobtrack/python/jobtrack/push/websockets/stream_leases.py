"""Who streams to a WebSocket subscription: one process at a time, by a lease that ends by itself.

The lease and the position are attributes of the stored subscription, so that one conditional write decides about both.
"""

import time
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError
from msgspec import Struct

from jobtrack.push.messages.wake import Wake
from jobtrack.push.subscriptions.subscription import Subscription, key
from jobtrack.store.transactions import write_conditionally

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_dynamodb.type_defs import AttributeValueTypeDef

    Item = dict[str, AttributeValueTypeDef]

LEASE_SECONDS = 25
BUSY_SECONDS = 1

_FREE = (
    "#status = :active AND expiresAt > :now AND attribute_exists(#connection) AND quietUntil <= :now"
    " AND (attribute_not_exists(lease) OR leaseUntil <= :now)"
)
_NAMES = {"#status": "status", "#connection": "connection"}


class LeaseBusy(Exception):
    """Somebody else streams, or the client may still say where it resumes: to be tried again at `until`."""

    def __init__(self, until: float) -> None:
        super().__init__(f"busy until {until}")
        self.until = until


class StreamLease(Struct, frozen=True):
    """The right to post a subscription's events to its connection, until a moment (epoch seconds)."""

    name: str
    subscription: Subscription
    connection: str
    position: int
    connected_at: float
    until: float


class StreamLeaseTable(Struct, eq=False):
    """The leases of the subscriptions table."""

    dynamodb: "DynamoDBClient"
    table: str
    clock: Callable[[], float] = time.time
    new_name: Callable[[], str] = lambda: uuid.uuid4().hex

    def take(self, wake: Wake) -> StreamLease | None:
        """The lease, or None where there is nothing to do: no connection, no life, or the position is beyond the wake.

        Raises:
            LeaseBusy: to be tried again.
        """
        now, name = self.clock(), self.new_name()
        behind = "" if wake.sequence is None else " AND #position < :sequence"
        try:
            item = self.dynamodb.update_item(
                TableName=self.table,
                Key=key(wake.job, wake.subscription_id),
                UpdateExpression="SET lease = :name, leaseUntil = :until",
                ConditionExpression=_FREE + behind,
                ExpressionAttributeNames={**_NAMES, **({"#position": "position"} if behind else {})},
                ExpressionAttributeValues={
                    ":name": {"S": name},
                    ":active": {"S": "Active"},
                    ":now": _number(now),
                    ":until": _number(now + LEASE_SECONDS),
                    **({":sequence": {"N": str(wake.sequence)}} if behind else {}),
                },
                ReturnValues="ALL_NEW",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )["Attributes"]
        except ClientError as error:
            found = _standing(error)
            if not _taken_already(found, name):
                self._refused(wake, found, now)
                return None
            item = found
        return _lease(name, item, now)

    def _refused(self, wake: Wake, item: "Item", now: float) -> None:
        """Tell apart what is to be tried again and what is not."""
        if not item:
            return
        subscription = Subscription.load(item)
        stream = subscription.stream
        if not stream or not stream.connection or not subscription.live(now):
            return
        if wake.sequence is not None and stream.position >= wake.sequence:
            return
        raise LeaseBusy(max(now + BUSY_SECONDS, float(item["quietUntil"]["N"])))

    def holds(self, lease: StreamLease) -> bool:
        """Whether the next event may be posted: a strongly consistent read, and the clock."""
        one = lease.subscription
        item_key = key(one.job, one.subscription_id)
        item = self.dynamodb.get_item(TableName=self.table, Key=item_key, ConsistentRead=True).get("Item")
        now = self.clock()
        if not item or now >= lease.until or "lease" not in item or item["lease"]["S"] != lease.name:
            return False
        return Subscription.load(item).live(now)

    def advance(self, lease: StreamLease, position: int) -> bool:
        """Move the position on; False if the lease was lost."""
        return self._update(
            lease,
            "SET #position = :position",
            {":position": {"N": str(position)}},
            {"#position": "position"},
        )

    def release(self, lease: StreamLease) -> None:
        """Let others stream."""
        self._update(lease, "REMOVE lease", {}, {})

    def _update(self, lease: StreamLease, change: str, values: "Item", names: dict[str, str]) -> bool:
        one = lease.subscription
        return write_conditionally(
            self.dynamodb,
            {
                "Update": {
                    "TableName": self.table,
                    "Key": key(one.job, one.subscription_id),
                    "UpdateExpression": change,
                    "ConditionExpression": "lease = :name",
                    "ExpressionAttributeNames": names,
                    "ExpressionAttributeValues": {":name": {"S": lease.name}, **values},
                }
            },
        )


def _standing(error: ClientError) -> "Item":
    """The subscription that did not meet the condition; empty if there is none."""
    if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
        raise error
    item = {**error.response}.get("Item")
    return item if isinstance(item, dict) else {}


def _taken_already(item: "Item", name: str) -> bool:
    """Whether the lease is ours: the response to an earlier request was lost, and botocore repeated it."""
    return "lease" in item and item["lease"]["S"] == name


def _lease(name: str, item: "Item", now: float) -> StreamLease:
    subscription = Subscription.load(item)
    stream = subscription.stream
    if stream is None or stream.connection is None:
        raise AssertionError("the condition wants both")
    return StreamLease(
        name, subscription, stream.connection, stream.position, stream.connected_at or 0, now + LEASE_SECONDS
    )


def _number(moment: float) -> "AttributeValueTypeDef":
    return {"N": f"{moment:.3f}"}
