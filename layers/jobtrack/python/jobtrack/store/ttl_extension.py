"""Extends the TTL of the items of a live job: journal, dependencies, extras, and the response to its creation."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError
from msgspec import Struct

from jobtrack.invocation import Invocation
from jobtrack.keys import JobKey
from jobtrack.store.dependencies import PREFIX, PREREQUISITES, decode_prerequisites, edge_key
from jobtrack.store.idempotency import creation_key
from jobtrack.store.key_conditions import between
from jobtrack.store.snapshots import EXTRAS, snapshot_key
from jobtrack.store.ttl import Retention, decode_expiry, decode_job_expiry, encode_expiry
from jobtrack.times import Micros

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

Key = Mapping[str, Any]

_PAGE_SIZE = 100
_RANGES = (("L", "N~"), (PREFIX, f"{PREFIX}~"), (EXTRAS, f"{EXTRAS}~"))
"""Sort keys of the journal and its index, of dependencies, and of extras. Other items are not extended: outbox records
and responses are short-lived, and the job that an edge leads to extends the edge."""


class TtlStore(Struct, eq=False):
    """Extends the TTL of items in the jobs table."""

    dynamodb: "DynamoDBClient"
    table: str
    retention: Retention

    def extend_job(self, job: JobKey, after: str, invocation: Invocation) -> str | None:
        """Extend the items that would expire before the job, after a sort key.

        Returns:
            The sort key to continue after, or None if all items were looked at. A job that is gone has no items.
        """
        snapshot = self.dynamodb.get_item(TableName=self.table, Key=snapshot_key(job)).get("Item")
        if snapshot is None:
            return None
        reported = self.retention.last_report(decode_job_expiry(snapshot))
        if not after:
            self._extend_items(self._read_other_keys(job), reported, invocation)
        for items in self._read_pages(job, after):
            if not invocation.has_time():
                return after
            due = [item for item in items if decode_expiry(item) < self.retention.item_expiry(reported)]
            self._extend_items([job.item_key(item["sk"]["S"]) for item in due], reported, invocation)
            after = items[-1]["sk"]["S"]
        return None

    def _read_other_keys(self, job: JobKey) -> list[Key]:
        """Return the keys of the response to the job's creation, and of the edges in its prerequisites' partitions."""
        item = self.dynamodb.get_item(TableName=self.table, Key=job.item_key(PREREQUISITES)).get("Item")
        return [creation_key(job), *(edge_key(job, job_id) for job_id in decode_prerequisites(item))]

    def _read_pages(self, job: JobKey, after: str) -> Iterator[Sequence[Key]]:
        """Yield the sort keys and expiries of the job's items after a sort key, in order."""
        for first, last in _RANGES:
            if last <= after:
                continue
            pages = self.dynamodb.get_paginator("query").paginate(
                TableName=self.table,
                **between(job.partition, max(first, f"{after}!"), last),
                ProjectionExpression="sk, #exp",
                ExpressionAttributeNames={"#exp": "exp"},
                PaginationConfig={"PageSize": _PAGE_SIZE},
            )
            yield from (page["Items"] for page in pages if page["Items"])

    def _extend_items(self, keys: Sequence[Key], reported: Micros, invocation: Invocation) -> None:
        invocation.call_with_each(lambda key: self._extend_item(key, reported), keys)

    def _extend_item(self, key: Key, reported: Micros) -> None:
        """Extend an item, unless it was extended already, or is gone."""
        try:
            self.dynamodb.update_item(
                TableName=self.table,
                Key=key,
                UpdateExpression="SET #exp = :extended",
                ConditionExpression="#exp < :due",
                ExpressionAttributeNames={"#exp": "exp"},
                ExpressionAttributeValues={
                    ":extended": encode_expiry(self.retention.extended_expiry(reported)),
                    ":due": encode_expiry(self.retention.item_expiry(reported)),
                },
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise
