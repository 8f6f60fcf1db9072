"""How far a WebSocket subscription is in its job's total order, and over which connection it is told."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Self

from msgspec import Struct

if TYPE_CHECKING:
    from types_boto3_dynamodb.type_defs import AttributeValueTypeDef


class StreamState(Struct, frozen=True):
    """What is told next is what follows `position`.

    Args:
        since: the job's last sequence when the subscription was made; what came later is in the outbox, for a while.
        position: the sequence up to which all that is wanted was told.
        connection: API Gateway's id of the connection, if there is one.
        connected_at: when the newest connection was made, epoch seconds.
    """

    since: int
    position: int
    connection: str | None = None
    connected_at: float | None = None

    def item(self) -> "dict[str, AttributeValueTypeDef]":
        """The attributes of a new subscription: each changes by itself later."""
        return {"since": {"N": str(self.since)}, "position": {"N": str(self.position)}}

    @classmethod
    def load(cls, item: "Mapping[str, AttributeValueTypeDef]") -> Self | None:
        """Read it from a stored subscription; a webhook's has none."""
        if "position" not in item:
            return None
        return cls(
            since=int(item["since"]["N"]),
            position=int(item["position"]["N"]),
            connection=item["connection"]["S"] if "connection" in item else None,
            connected_at=float(item["connectedAt"]["N"]) if "connectedAt" in item else None,
        )
