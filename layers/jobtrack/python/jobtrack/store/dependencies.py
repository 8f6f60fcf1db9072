"""What a job waits for, in separate items: one item for each kind, and one for each edge to another job.

Resources and conditions that were reported later are in another item, which only such reports write.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from msgspec import Struct, convert

from jobtrack import limits
from jobtrack.domain.dependencies import CHANGE_EVENTS, Relations, ReportedChanges
from jobtrack.domain.events import Event
from jobtrack.domain.job import Json
from jobtrack.domain.journal.packing import pack, unpack
from jobtrack.keys import JobKey
from jobtrack.store.batch_reads import read_items
from jobtrack.store.batch_writes import put_items
from jobtrack.store.item_kinds import EDGE as EDGE_KIND
from jobtrack.store.item_kinds import RELATIONS
from jobtrack.store.snapshots import snapshot_key
from jobtrack.store.transactions import Item
from jobtrack.store.ttl import encode_expiry
from jobtrack.times import Micros

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

PREFIX = "R#"
PREREQUISITES = f"{PREFIX}prerequisites"
EDGE = "D#"
_RESOURCES = f"{PREFIX}resources"
_CONDITIONS = f"{PREFIX}conditions"
_CHANGED = f"{PREFIX}changed"


class DependencyStore(Struct, eq=False):
    """Writes dependencies to the jobs table."""

    dynamodb: "DynamoDBClient"
    table: str

    def find_missing(self, key: JobKey, prerequisites: Sequence[str]) -> list[str]:
        """Return the prerequisites that do not exist in the project."""
        keys = [snapshot_key(key.job_key(job_id)) for job_id in prerequisites]
        existing = {job_id_of(item) for item in read_items(self.dynamodb, self.table, keys, attribute="pk")}
        return [job_id for job_id in prerequisites if job_id not in existing]

    def put_edges(self, key: JobKey, prerequisites: Sequence[str], expires: Micros) -> None:
        """Put an edge in the partition of each prerequisite, before the job exists: until then, readers ignore it."""
        attributes = {**EDGE_KIND.stamp, "exp": encode_expiry(expires)}
        put_items(self.dynamodb, self.table, [{**edge_key(key, job_id), **attributes} for job_id in prerequisites])

    def creation_actions(self, key: JobKey, relations: Json, expires: Micros) -> "Iterator[TransactWriteItemTypeDef]":
        """Return the actions that store what a new job waits for."""
        return (self._put_action(key, f"{PREFIX}{kind}", pack(value), expires) for kind, value in relations.items())

    def change_actions(
        self, key: JobKey, events: Sequence[Event], expires: Micros
    ) -> "Iterator[TransactWriteItemTypeDef]":
        """Yield the action that stores the resources and conditions that a batch changes, if it changes any.

        The stored changes are read after the version that the batch replaces. If another batch changes them
        meanwhile, that version is outdated, and the transaction is cancelled.
        """
        if not any(event.type in CHANGE_EVENTS for event in events):
            return
        item_key = key.item_key(_CHANGED)
        item = self.dynamodb.get_item(TableName=self.table, Key=item_key, ConsistentRead=True).get("Item")
        changed = unpack(RELATIONS.check(item)["d"]["B"], ReportedChanges) if item else ReportedChanges()
        changed.apply(events)
        yield self._put_action(key, _CHANGED, _pack(changed), expires)

    def _put_action(self, key: JobKey, sort_key: str, data: bytes, expires: Micros) -> "TransactWriteItemTypeDef":
        attributes = {**RELATIONS.stamp, "d": {"B": data}, "exp": encode_expiry(expires)}
        return {"Put": {"TableName": self.table, "Item": {**key.item_key(sort_key), **attributes}}}


def edge_key(key: JobKey, prerequisite: str) -> dict[str, Any]:
    """Return the primary key of the edge from a prerequisite to the job that waits for it."""
    return key.job_key(prerequisite).item_key(f"{EDGE}{key.job}")


def job_id_of(item: Item) -> str:
    """Return the id of the job in whose partition an item is."""
    return JobKey.from_partition(item["pk"]["S"]).job


def decode_relations(items: Mapping[str, Item]) -> Relations:
    """Return a job's resources and conditions, from its items by sort key."""
    values = {
        sort_key: unpack(RELATIONS.check(item)["d"]["B"])
        for sort_key, item in items.items()
        if sort_key.startswith(PREFIX)
    }
    changed = convert(values.get(_CHANGED, {}), ReportedChanges)
    return Relations(values.get(_RESOURCES, []), values.get(_CONDITIONS, []), changed)


def decode_prerequisites(item: Item | None) -> dict[str, str | None]:
    """Return the ids of the jobs that a job waits for, each with the reason, from the item `PREREQUISITES`."""
    return {} if item is None else dict(unpack(RELATIONS.check(item)["d"]["B"]))


def _pack(changed: ReportedChanges) -> bytes:
    """Return the changes, packed. If they do not fit into an item, only the latest changes are kept."""
    packed, limit = pack(changed), limits.RELATIONS
    while len(packed) > limits.CHUNK_BYTES:
        limit //= 2
        changed.trim(limit)
        packed = pack(changed)
    return packed
