"""Leases for streaming to a WebSocket subscription: one process streams at a time, and a lease expires.

The lease and the position are attributes of the stored subscription, so that one conditional write covers both.
"""

import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError
from msgspec import Struct

from jobtrack import times
from jobtrack.push.messages.wake import Wake
from jobtrack.push.subscriptions.subscription import Subscription, subscription_key
from jobtrack.store.transactions import write_conditionally
from jobtrack.times import Micros

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
    """Another process has the lease, or the client may still send `resume`: retry at `until`."""

    def __init__(self, until: Micros) -> None:
        super().__init__(f"busy until {until}")
        self.until = until


class StreamLease(Struct, frozen=True):
    """The right to post a subscription's events to its connection, until a time."""

    name: str
    subscription: Subscription
    connection: str
    position: int
    connected_at: Micros
    until: Micros


class StreamLeaseTable(Struct, eq=False):
    """The leases in the subscriptions table."""

    dynamodb: "DynamoDBClient"
    table: str
    clock: Callable[[], Micros] = times.now
    new_name: Callable[[], str] = lambda: uuid.uuid4().hex

    def acquire(self, wake: Wake) -> StreamLease | None:
        """Return the lease, or None if there is nothing to stream.

        There is nothing to stream if no client is connected, if the subscription has ended, or if its position has
        reached the sequence of the wake.

        Raises:
            LeaseBusy: retry later.
        """
        now, name = self.clock(), self.new_name()
        try:
            item = self._write_lease(wake, name, now)
        except ClientError as error:
            item = _refused_item(error)
            if not _has_lease(item, name):
                self._raise_if_busy(wake, item, now)
                return None
            # The lease is ours: the response to the first request was lost, and botocore repeated it.
        return _lease(name, item, now)

    def _write_lease(self, wake: Wake, name: str, now: Micros) -> "Item":
        behind = "" if wake.sequence is None else " AND #position < :sequence"
        return self.dynamodb.update_item(
            TableName=self.table,
            Key=subscription_key(wake.job, wake.subscription_id),
            UpdateExpression="SET lease = :name, leaseUntil = :until",
            ConditionExpression=_FREE + behind,
            ExpressionAttributeNames={**_NAMES, **({"#position": "position"} if behind else {})},
            ExpressionAttributeValues={
                ":name": {"S": name},
                ":active": {"S": "Active"},
                ":now": {"N": str(now)},
                ":until": {"N": str(times.add_seconds(now, LEASE_SECONDS))},
                **({":sequence": {"N": str(wake.sequence)}} if behind else {}),
            },
            ReturnValues="ALL_NEW",
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )["Attributes"]

    def _raise_if_busy(self, wake: Wake, item: "Item", now: Micros) -> None:
        """Raise LeaseBusy unless there is nothing to stream."""
        if not item:
            return
        subscription = Subscription.from_item(item)
        stream = subscription.stream
        if not stream or not stream.connection or not subscription.live(now):
            return
        if wake.sequence is not None and stream.position >= wake.sequence:
            return
        raise LeaseBusy(max(times.add_seconds(now, BUSY_SECONDS), Micros(int(item["quietUntil"]["N"]))))

    def is_held(self, lease: StreamLease) -> bool:
        """Return whether the next event may be posted, by a strongly consistent read and the clock."""
        item_key = subscription_key(lease.subscription.job, lease.subscription.subscription_id)
        item = self.dynamodb.get_item(TableName=self.table, Key=item_key, ConsistentRead=True).get("Item")
        now = self.clock()
        if not item or now >= lease.until or not _has_lease(item, lease.name):
            return False
        return Subscription.from_item(item).live(now)

    def advance(self, lease: StreamLease, position: int) -> bool:
        """Store a new position; return False if the lease was lost."""
        return self._update(
            lease,
            "SET #position = :position",
            {":position": {"N": str(position)}},
            {"#position": "position"},
        )

    def release(self, lease: StreamLease) -> None:
        """Give the lease back."""
        self._update(lease, "REMOVE lease", {}, {})

    def _update(self, lease: StreamLease, update: str, values: "Item", names: dict[str, str]) -> bool:
        return write_conditionally(
            self.dynamodb,
            {
                "Update": {
                    "TableName": self.table,
                    "Key": subscription_key(lease.subscription.job, lease.subscription.subscription_id),
                    "UpdateExpression": update,
                    "ConditionExpression": "lease = :name",
                    "ExpressionAttributeNames": names,
                    "ExpressionAttributeValues": {":name": {"S": lease.name}, **values},
                }
            },
        )


def _refused_item(error: ClientError) -> "Item":
    """Return the stored subscription that did not meet the condition, or an empty item if there is none."""
    if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
        raise error
    item = {**error.response}.get("Item")
    return item if isinstance(item, dict) else {}


def _has_lease(item: "Item", name: str) -> bool:
    return "lease" in item and item["lease"]["S"] == name


def _lease(name: str, item: "Item", now: Micros) -> StreamLease:
    subscription = Subscription.from_item(item)
    stream = subscription.stream
    if stream is None or stream.connection is None:
        raise AssertionError("the condition requires both")
    connected_at, until = stream.connected_at or times.EPOCH, times.add_seconds(now, LEASE_SECONDS)
    return StreamLease(name, subscription, stream.connection, stream.position, connected_at, until)
