"""Extends what belongs to a job that still reports: its journal, relations, extras, and the record of its creation."""

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
from jobtrack.store.ttl import Retention

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

Key = Mapping[str, Any]

PAGE = 100
_RANGES = (("L", "N~"), (PREFIX, f"{PREFIX}~"), (EXTRAS, f"{EXTRAS}~"))
"""Sort keys of the journal and its index, of relations, of extras. Outbox items and clients' keys end by themselves,
and an edge in this partition is kept by the job that it leads to."""


class TtlStore(Struct, eq=False):
    """The jobs table's items, whose expiry it moves."""

    dynamodb: "DynamoDBClient"
    table: str
    retention: Retention

    def extend_job(self, job: JobKey, after: str, invocation: Invocation) -> str | None:
        """Extend what would not outlive the job, from the sort key `after` on; returns where to go on, None if done.

        A page that is begun is finished. A job that is gone has nothing to be extended.
        """
        snapshot = self.dynamodb.get_item(TableName=self.table, Key=snapshot_key(job)).get("Item")
        if snapshot is None:
            return None
        reported = self.retention.reported(int(snapshot["exp"]["N"]))
        if not after:
            self._move(self._elsewhere(job), reported, invocation)
        for items in self._pages(job, after):
            if not invocation.has_time():
                return after
            due = [item for item in items if int(item["exp"]["N"]) < self.retention.beside(reported)]
            self._move([job.item_key(item["sk"]["S"]) for item in due], reported, invocation)
            after = items[-1]["sk"]["S"]
        return None

    def _elsewhere(self, job: JobKey) -> list[Key]:
        """The record of the job's creation, and the edges in the partitions of the jobs that it waits for."""
        place = job.item_key(PREREQUISITES)
        waits_for = decode_prerequisites(self.dynamodb.get_item(TableName=self.table, Key=place).get("Item"))
        return [creation_key(job), *(edge_key(job, each) for each in waits_for)]

    def _pages(self, job: JobKey, after: str) -> Iterator[Sequence[Key]]:
        """Sort keys and expiries of the job's items, in order."""
        for first, last in _RANGES:
            if last <= after:
                continue
            pages = self.dynamodb.get_paginator("query").paginate(
                TableName=self.table,
                **between(job.partition, max(first, f"{after}!"), last),
                ProjectionExpression="sk, #exp",
                ExpressionAttributeNames={"#exp": "exp"},
                PaginationConfig={"PageSize": PAGE},
            )
            yield from (page["Items"] for page in pages if page["Items"])

    def _move(self, keys: Sequence[Key], reported: int, invocation: Invocation) -> None:
        invocation.call_with_each(lambda key: self._extend(key, reported), keys)

    def _extend(self, key: Key, reported: int) -> None:
        """Move the expiry of an item that is due; one that is not, or is gone, stays so."""
        try:
            self.dynamodb.update_item(
                TableName=self.table,
                Key=key,
                UpdateExpression="SET #exp = :extended",
                ConditionExpression="#exp < :due",
                ExpressionAttributeNames={"#exp": "exp"},
                ExpressionAttributeValues={
                    ":extended": {"N": str(self.retention.extended(reported))},
                    ":due": {"N": str(self.retention.beside(reported))},
                },
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise
