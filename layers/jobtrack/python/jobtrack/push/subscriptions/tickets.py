"""Tickets: what a WebSocket client shows to connect, once and within a minute. Only their hashes are stored."""

import hashlib
import secrets
from collections.abc import Mapping
from typing import TYPE_CHECKING, Self

from msgspec import Struct

from jobtrack.keys import JobKey

if TYPE_CHECKING:
    from types_boto3_dynamodb.type_defs import AttributeValueTypeDef, TransactWriteItemTypeDef

TICKET_SECONDS = 60


def new_ticket() -> str:
    """A ticket of 256 random bits, fit for a URL."""
    return secrets.token_urlsafe(32)


class Ticket(Struct, frozen=True):
    """A ticket as it is stored: by its hash, with the subscription that it opens and until when (epoch seconds)."""

    digest: str
    job: JobKey
    subscription_id: str
    until: int

    @classmethod
    def of(cls, ticket: str, job: JobKey, subscription_id: str, now: float) -> Self:
        """What to store of a ticket that is given out now."""
        return cls(_digest(ticket), job, subscription_id, int(now) + TICKET_SECONDS)

    def item(self) -> "dict[str, AttributeValueTypeDef]":
        """The ticket as stored."""
        return {
            **_key(self.digest),
            "job": {"S": self.job.partition},
            "subscription": {"S": self.subscription_id},
            "exp": {"N": str(self.until)},
        }

    @classmethod
    def load(cls, item: "Mapping[str, AttributeValueTypeDef]") -> Self:
        """Read what was stored."""
        digest = item["pk"]["S"].removeprefix(_PREFIX)
        job = JobKey.from_partition(item["job"]["S"])
        return cls(digest, job, item["subscription"]["S"], int(item["exp"]["N"]))

    def issue(self, table: str) -> "TransactWriteItemTypeDef":
        """The part of a transaction that makes it valid."""
        return {"Put": {"TableName": table, "Item": self.item()}}

    def spend(self, table: str) -> "TransactWriteItemTypeDef":
        """The part of a transaction that uses it, the only time."""
        condition = "attribute_exists(pk)"
        return {"Delete": {"TableName": table, "Key": _key(self.digest), "ConditionExpression": condition}}


def ticket_key(ticket: str) -> "dict[str, AttributeValueTypeDef]":
    """Where a ticket is stored, if it was given out."""
    return _key(_digest(ticket))


_PREFIX = "ticket#"


def _digest(ticket: str) -> str:
    return hashlib.sha256(ticket.encode(errors="replace")).hexdigest()


def _key(digest: str) -> "dict[str, AttributeValueTypeDef]":
    return {"pk": {"S": f"{_PREFIX}{digest}"}, "sk": {"S": "ticket"}}
