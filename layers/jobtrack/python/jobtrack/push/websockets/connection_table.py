"""WebSocket connections in the subscriptions table: who is connected for which subscription.

The connection stands twice: in an item of its own, by which what a client sends finds its subscription, and in the
subscription, where every change is one conditional write. The second one counts.
"""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from msgspec import Struct

from jobtrack.keys import JobKey
from jobtrack.push.subscriptions.subscription import Subscription, key
from jobtrack.push.subscriptions.tickets import Ticket, ticket_key
from jobtrack.store.transactions import commit, write_conditionally

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_dynamodb.type_defs import AttributeValueTypeDef, TransactWriteItemTypeDef

CONNECTION_SECONDS = 3 * 3600
"""How long a connection's item is kept: API Gateway ends each after two hours."""


class ConnectionTable(Struct, eq=False):
    """The connections of the subscriptions table; every read is strongly consistent."""

    dynamodb: "DynamoDBClient"
    name: str
    clock: Callable[[], float] = time.time

    def ticket(self, ticket: str) -> Ticket | None:
        """What the ticket opens, if it was given out, not used, and in time."""
        item = self._item(ticket_key(ticket))
        found = Ticket.load(item) if item else None
        return found if found and self.clock() < found.until else None

    def find(self, connection_id: str) -> tuple[JobKey, str] | None:
        """The job and the id of the subscription that the connection is for."""
        item = self._item(_key(connection_id))
        return (JobKey(*item["job"]["S"].split("#")), item["subscription"]["S"]) if item else None

    def attach(self, ticket: Ticket, subscription: Subscription, connection_id: str, quiet_until: float) -> None:
        """Make the connection that of the subscription, which was read before, and use up the ticket.

        Raises:
            Cancelled: the ticket was used, or the subscription changed meanwhile.
        """
        put: TransactWriteItemTypeDef = {
            "Put": {"TableName": self.name, "Item": self._connection(ticket, connection_id)}
        }
        commit(self.dynamodb, [ticket.spend(self.name), put, self._attach(subscription, connection_id, quiet_until)])

    def _connection(self, ticket: Ticket, connection_id: str) -> "dict[str, AttributeValueTypeDef]":
        return {
            **_key(connection_id),
            "job": {"S": ticket.job.partition},
            "subscription": {"S": ticket.subscription_id},
            "exp": {"N": str(int(self.clock()) + CONNECTION_SECONDS)},
        }

    def _attach(self, subscription: Subscription, connection_id: str, quiet_until: float) -> "TransactWriteItemTypeDef":
        seen = subscription.stream and subscription.stream.connection
        return {
            "Update": {
                "TableName": self.name,
                "Key": key(subscription.job, subscription.subscription_id),
                "UpdateExpression": "SET #connection = :id, connectedAt = :now, quietUntil = :quiet REMOVE lease",
                "ConditionExpression": "#status = :active AND expiresAt > :now AND "
                + ("#connection = :seen" if seen else "attribute_not_exists(#connection)"),
                "ExpressionAttributeNames": {"#status": "status", "#connection": "connection"},
                "ExpressionAttributeValues": {
                    ":id": {"S": connection_id},
                    ":active": {"S": "Active"},
                    ":now": {"N": f"{self.clock():.3f}"},
                    ":quiet": {"N": f"{quiet_until:.3f}"},
                    **({":seen": {"S": seen}} if seen else {}),
                },
            }
        }

    def rewind(self, job: JobKey, subscription_id: str, connection_id: str, position: int) -> bool:
        """Let the subscription go on after a sequence, and whoever streams to it stop; False if it is not connected so.

        What is told next begins there at once: the wait for this is over.
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
                ":now": {"N": f"{self.clock():.3f}"},
            },
        )

    def forget(self, job: JobKey, subscription_id: str, connection_id: str) -> None:
        """Note that the connection is no more; another that took its place meanwhile stays."""
        self.dynamodb.delete_item(TableName=self.name, Key=_key(connection_id))
        self._update(
            job,
            subscription_id,
            "REMOVE #connection, lease",
            "#connection = :id",
            {"#connection": "connection"},
            {":id": {"S": connection_id}},
        )

    def _item(self, item_key: "dict[str, AttributeValueTypeDef]") -> "dict[str, AttributeValueTypeDef] | None":
        return self.dynamodb.get_item(TableName=self.name, Key=item_key, ConsistentRead=True).get("Item")

    def _update(
        self,
        job: JobKey,
        subscription_id: str,
        change: str,
        condition: str,
        names: dict[str, str],
        values: "dict[str, AttributeValueTypeDef]",
    ) -> bool:
        return write_conditionally(
            self.dynamodb,
            {
                "Update": {
                    "TableName": self.name,
                    "Key": key(job, subscription_id),
                    "UpdateExpression": change,
                    "ConditionExpression": condition,
                    "ExpressionAttributeNames": names,
                    "ExpressionAttributeValues": values,
                }
            },
        )


def _key(connection_id: str) -> "dict[str, AttributeValueTypeDef]":
    return {"pk": {"S": f"connection#{connection_id}"}, "sk": {"S": "connection"}}
