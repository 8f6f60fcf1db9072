"""The progress of a WebSocket subscription in its job's total order, and its connection."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Self

from msgspec import Struct

from jobtrack.times import Micros

if TYPE_CHECKING:
    from types_boto3_dynamodb.type_defs import AttributeValueTypeDef


class StreamState(Struct, frozen=True):
    """The events after `position` are sent next.

    Args:
        since: the job's last sequence when the subscription was created; later events are in the outbox for two days.
        position: every wanted event up to this sequence has been sent.
        connection: API Gateway's id of the connection, if a client is connected.
        connected_at: when the newest connection was opened.
    """

    since: int
    position: int
    connection: str | None = None
    connected_at: Micros | None = None

    def to_attributes(self) -> "dict[str, AttributeValueTypeDef]":
        """Return the attributes of a new subscription. Later, each attribute changes separately."""
        return {"since": {"N": str(self.since)}, "position": {"N": str(self.position)}}

    @classmethod
    def from_item(cls, item: "Mapping[str, AttributeValueTypeDef]") -> Self | None:
        """Return the state of a stored subscription; None for a webhook."""
        if "position" not in item:
            return None
        return cls(
            since=int(item["since"]["N"]),
            position=int(item["position"]["N"]),
            connection=item["connection"]["S"] if "connection" in item else None,
            connected_at=Micros(int(item["connectedAt"]["N"])) if "connectedAt" in item else None,
        )
