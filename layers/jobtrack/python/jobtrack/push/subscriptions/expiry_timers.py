"""When to look whether a subscription has expired.

A timer is put with every change of `expiresAt`, in the same transaction, so that each live subscription has one that is
due when it expires. Of one that was renewed, the earlier timer finds nothing to do.
"""

import zlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from jobtrack.classes import frozen
from jobtrack.keys import JobKey

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_dynamodb.type_defs import AttributeValueTypeDef

SHARDS = 4
PAGE = 100
KEPT_SECONDS = 7 * 24 * 3600
"""How long a subscription can be read after it expired: as long as its deliveries."""


@frozen
class Expiry:
    """Look at the subscription then (epoch seconds)."""

    job: JobKey
    subscription_id: str
    due: int

    @property
    def key(self) -> "dict[str, AttributeValueTypeDef]":
        """Its primary key: a few partitions hold the timers of all tenants, in the order in which they are due."""
        shard = zlib.crc32(self.subscription_id.encode()) % SHARDS
        place = f"{self.due:012d}#{self.job.partition}#{self.subscription_id}"
        return {"pk": {"S": _partition(shard)}, "sk": {"S": place}}

    def item(self) -> "dict[str, AttributeValueTypeDef]":
        """What is stored."""
        return {**self.key, "exp": {"N": str(self.due + KEPT_SECONDS)}}


@frozen
class ExpiryTable:
    """The timers of the subscriptions table."""

    dynamodb: "DynamoDBClient"
    name: str

    def due(self, shard: int, now: int) -> Iterator[list[Expiry]]:
        """Those of a shard that are due at `now` (epoch seconds), the longest due first, a page at a time."""
        pages = self.dynamodb.get_paginator("query").paginate(
            TableName=self.name,
            ConsistentRead=True,
            KeyConditionExpression="pk = :pk AND sk < :end",
            ExpressionAttributeValues={":pk": {"S": _partition(shard)}, ":end": {"S": f"{now + 1:012d}"}},
            PaginationConfig={"PageSize": PAGE},
        )
        return ([_expiry(item["sk"]["S"]) for item in page["Items"]] for page in pages)

    def drop(self, expiry: Expiry) -> None:
        """Take a timer away."""
        self.dynamodb.delete_item(TableName=self.name, Key=expiry.key)


def _partition(shard: int) -> str:
    return f"expiry#{shard}"


def _expiry(place: str) -> Expiry:
    due, tenant, project, job, subscription_id = place.split("#")
    return Expiry(JobKey(tenant, project, job), subscription_id, int(due))
