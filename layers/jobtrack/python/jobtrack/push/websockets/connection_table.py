"""WebSocket connections in the subscriptions table: which connection belongs to which subscription.

A connection is stored twice. Its own item leads from a client's message to the subscription. The subscription's item
has it as an attribute, so that each change is one conditional write. The attribute is authoritative.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from msgspec import Struct

from jobtrack import times
from jobtrack.keys import JobKey
from jobtrack.push.subscriptions.subscription import Subscription, subscription_key
from jobtrack.push.subscriptions.tickets import Ticket, ticket_key
from jobtrack.store.item_kinds import CONNECTION
from jobtrack.store.transactions import commit, write_conditionally
from jobtrack.store.ttl import encode_expiry
from jobtrack.times import Micros

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_dynamodb.type_defs import AttributeValueTypeDef, TransactWriteItemTypeDef

    Item = dict[str, AttributeValueTypeDef]

CONNECTION_SECONDS = 3 * 3600
"""How long a connection's item is kept: API Gateway closes each connection after two hours."""


class ConnectionTable(Struct, eq=False):
    """Reads and writes connections; every read is strongly consistent."""

    dynamodb: "DynamoDBClient"
    name: str
    clock: Callable[[], Micros] = times.now

    def read_ticket(self, ticket: str) -> Ticket | None:
        """Return the ticket, if it was issued, is unused and has not expired."""
        item = self._read_item(ticket_key(ticket))
        stored = Ticket.from_item(item) if item else None
        return stored if stored and self.clock() < stored.until else None

    def find_subscription(self, connection_id: str) -> tuple[JobKey, str] | None:
        """Return the job and the id of the subscription that the connection belongs to."""
        item = self._read_item(_connection_key(connection_id))
        if item is None:
            return None
        return JobKey.from_partition(CONNECTION.check(item)["job"]["S"]), item["subscription"]["S"]

    def attach(self, ticket: Ticket, subscription: Subscription, connection_id: str, quiet_until: Micros) -> None:
        """Use up the ticket and give the connection to the subscription. Nothing is sent until `quiet_until`.

        Raises:
            Cancelled: the ticket was used, or the subscription has changed since it was read.
        """
        put: TransactWriteItemTypeDef = {
            "Put": {"TableName": self.name, "Item": self._connection_item(ticket, connection_id)}
        }
        update = self._attach_action(subscription, connection_id, quiet_until)
        commit(self.dynamodb, [ticket.use_action(self.name), put, update])

    def _connection_item(self, ticket: Ticket, connection_id: str) -> "Item":
        return {
            **_connection_key(connection_id),
            **CONNECTION.stamp,
            "job": {"S": ticket.job.partition},
            "subscription": {"S": ticket.subscription_id},
            "exp": encode_expiry(times.add_seconds(self.clock(), CONNECTION_SECONDS)),
        }

    def _attach_action(
        self, subscription: Subscription, connection_id: str, quiet_until: Micros
    ) -> "TransactWriteItemTypeDef":
        previous = subscription.stream and subscription.stream.connection
        return {
            "Update": {
                "TableName": self.name,
                "Key": subscription_key(subscription.job, subscription.subscription_id),
                "UpdateExpression": "SET #connection = :id, connectedAt = :now, quietUntil = :quiet REMOVE lease",
                "ConditionExpression": "#status = :active AND expiresAt > :now AND "
                + ("#connection = :previous" if previous else "attribute_not_exists(#connection)"),
                "ExpressionAttributeNames": {"#status": "status", "#connection": "connection"},
                "ExpressionAttributeValues": {
                    ":id": {"S": connection_id},
                    ":active": {"S": "Active"},
                    ":now": {"N": str(self.clock())},
                    ":quiet": {"N": str(quiet_until)},
                    **({":previous": {"S": previous}} if previous else {}),
                },
            }
        }

    def rewind(self, job: JobKey, subscription_id: str, connection_id: str, position: int) -> bool:
        """Set the subscription's position, and stop the current streamer by removing its lease.

        The quiet time ends, so that streaming begins at once. Return False if the subscription has another connection.
        """
        return self._update(
            job,
            subscription_id,
            "SET #position = :position, quietUntil = :zero REMOVE lease",
            "#connection = :id AND #status = :active AND expiresAt > :now",
            {"#position": "position", "#connection": "connection", "#status": "status"},
            {
                ":position": {"N": str(position)},
                ":zero": {"N": "0"},
                ":id": {"S": connection_id},
                ":active": {"S": "Active"},
                ":now": {"N": str(self.clock())},
            },
        )

    def detach(self, job: JobKey, subscription_id: str, connection_id: str) -> None:
        """Remove a closed connection; a newer connection of the subscription stays."""
        self.dynamodb.delete_item(TableName=self.name, Key=_connection_key(connection_id))
        self._update(
            job,
            subscription_id,
            "REMOVE #connection, lease",
            "#connection = :id",
            {"#connection": "connection"},
            {":id": {"S": connection_id}},
        )

    def _read_item(self, item_key: "Item") -> "Item | None":
        return self.dynamodb.get_item(TableName=self.name, Key=item_key, ConsistentRead=True).get("Item")

    def _update(
        self,
        job: JobKey,
        subscription_id: str,
        update: str,
        condition: str,
        names: dict[str, str],
        values: "Item",
    ) -> bool:
        return write_conditionally(
            self.dynamodb,
            {
                "Update": {
                    "TableName": self.name,
                    "Key": subscription_key(job, subscription_id),
                    "UpdateExpression": update,
                    "ConditionExpression": condition,
                    "ExpressionAttributeNames": names,
                    "ExpressionAttributeValues": values,
                }
            },
        )


def _connection_key(connection_id: str) -> "Item":
    return {"pk": {"S": f"connection#{connection_id}"}, "sk": {"S": "connection"}}
