"""Reads jobs from DynamoDB, strongly consistent."""

from collections.abc import Collection
from typing import TYPE_CHECKING

from msgspec import Struct

from jobtrack.domain.job import Json
from jobtrack.domain.journal.packing import unpack
from jobtrack.keys import JobKey
from jobtrack.store import item_kinds
from jobtrack.store.batch_reads import read_items
from jobtrack.store.key_conditions import with_prefix
from jobtrack.store.snapshots import EXTRAS, Snapshot, read_snapshot, restore_extras, snapshot_key
from jobtrack.store.transactions import Item

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient


class JobReader(Struct, eq=False):
    """Reads jobs from the jobs table."""

    dynamodb: "DynamoDBClient"
    table: str

    def read_snapshot(self, key: JobKey, extras: bool = False) -> Snapshot:
        """Return the job's snapshot. With `extras`, a second request reads the members that were moved out of it.

        Raises:
            NotFound: there is no such job.
        """
        snapshot = read_snapshot(self.dynamodb, self.table, key)
        if extras:
            self.add_extras(snapshot)
        return snapshot

    def add_extras(self, snapshot: Snapshot) -> None:
        """Read the members that were moved out of the snapshot, if any, and put them back."""
        if snapshot.job.spilled:
            restore_extras(snapshot.job, self._read_extras(snapshot.key))

    def read_snapshot_items(self, keys: Collection[JobKey]) -> dict[JobKey, Item]:
        """Return the snapshots of the jobs that exist, as they are stored: one request for each hundred."""
        by_partition = {key.partition: key for key in keys}
        items = read_items(self.dynamodb, self.table, [snapshot_key(key) for key in by_partition.values()])
        return {by_partition[item["pk"]["S"]]: item for item in items}

    def _read_extras(self, key: JobKey) -> list[Json]:
        pages = self.dynamodb.get_paginator("query").paginate(
            TableName=self.table,
            ConsistentRead=True,
            **with_prefix(key.partition, EXTRAS),
        )
        return [unpack(item_kinds.EXTRAS.check(item)["d"]["B"]) for page in pages for item in page["Items"]]
