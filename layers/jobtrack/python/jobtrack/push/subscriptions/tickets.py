"""Tickets: a WebSocket client needs one to connect. It is valid once, for a minute; only its hash is stored."""

import hashlib
import secrets
from collections.abc import Mapping
from typing import TYPE_CHECKING, Self

from msgspec import Struct

from jobtrack import times
from jobtrack.keys import JobKey
from jobtrack.store.item_kinds import TICKET
from jobtrack.store.ttl import decode_expiry, encode_expiry
from jobtrack.times import Micros

if TYPE_CHECKING:
    from types_boto3_dynamodb.type_defs import AttributeValueTypeDef, TransactWriteItemTypeDef

TICKET_SECONDS = 60


def new_ticket() -> str:
    """Return a ticket of 256 random bits, which may be part of a URL."""
    return secrets.token_urlsafe(32)


class Ticket(Struct, frozen=True):
    """A ticket as it is stored: its hash, its subscription, and when it expires."""

    digest: str
    job: JobKey
    subscription_id: str
    until: Micros

    @classmethod
    def issued(cls, ticket: str, job: JobKey, subscription_id: str, now: Micros) -> Self:
        """Return the stored form of a ticket that is issued now."""
        return cls(_digest(ticket), job, subscription_id, times.add_seconds(times.whole(now), TICKET_SECONDS))

    def to_item(self) -> "dict[str, AttributeValueTypeDef]":
        """Return the ticket as it is stored."""
        return {
            **_key(self.digest),
            **TICKET.stamp,
            "job": {"S": self.job.partition},
            "subscription": {"S": self.subscription_id},
            "exp": encode_expiry(self.until),
        }

    @classmethod
    def from_item(cls, item: "Mapping[str, AttributeValueTypeDef]") -> Self:
        """Return the ticket of a stored item."""
        digest = TICKET.check(item)["pk"]["S"].removeprefix(_PREFIX)
        job = JobKey.from_partition(item["job"]["S"])
        return cls(digest, job, item["subscription"]["S"], decode_expiry(item))

    def put_action(self, table: str) -> "TransactWriteItemTypeDef":
        """Return the action that stores the ticket, which makes it valid."""
        return {"Put": {"TableName": table, "Item": self.to_item()}}

    def use_action(self, table: str) -> "TransactWriteItemTypeDef":
        """Return the action that uses the ticket up."""
        condition = "attribute_exists(pk)"
        return {"Delete": {"TableName": table, "Key": _key(self.digest), "ConditionExpression": condition}}


def ticket_key(ticket: str) -> "dict[str, AttributeValueTypeDef]":
    """Return the primary key of a ticket."""
    return _key(_digest(ticket))


_PREFIX = "ticket#"


def _digest(ticket: str) -> str:
    return hashlib.sha256(ticket.encode(errors="replace")).hexdigest()


def _key(digest: str) -> "dict[str, AttributeValueTypeDef]":
    return {"pk": {"S": f"{_PREFIX}{digest}"}, "sk": {"S": "ticket"}}
