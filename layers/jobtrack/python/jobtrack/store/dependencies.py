"""What a job waits for and who waits for it: kept apart from the snapshot, an item for each kind and each edge.

What was reported of resources and conditions since is one item more, written only by batches that report on them.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from jobtrack import limits
from jobtrack.domain.dependencies import CHANGES, Changed, Relations
from jobtrack.domain.events import Event
from jobtrack.domain.job import Json
from jobtrack.domain.journal.packing import pack, unpack
from jobtrack.keys import JobKey
from jobtrack.store.batch_reads import read_items
from jobtrack.store.batch_writes import put_items
from jobtrack.store.transactions import Item

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_dynamodb.type_defs import AttributeValueTypeDef, TransactWriteItemTypeDef

PREFIX = "R#"
PREREQUISITES = f"{PREFIX}prerequisites"
EDGE = "D#"
_CHANGED = f"{PREFIX}changed"


class DependencyStore(Struct, eq=False):
    """The jobs table's edges and resources."""

    dynamodb: "DynamoDBClient"
    table: str

    def find_missing(self, key: JobKey, prerequisites: Sequence[str]) -> list[str]:
        """Those of the prerequisites that are no jobs of the project."""
        wanted = [relation_key(key, each, "S") for each in prerequisites]
        found = {job_of(item) for item in read_items(self.dynamodb, self.table, wanted, attribute="pk")}
        return [each for each in prerequisites if each not in found]

    def put_edges(self, key: JobKey, prerequisites: Sequence[str], expires: int) -> None:
        """Tell each prerequisite who waits for it, before the job is made: an edge from no job is never shown."""
        put_items(self.dynamodb, self.table, [_edge(key, each, expires) for each in prerequisites])

    def creation_actions(self, key: JobKey, relations: Json, expires: int) -> "Iterator[TransactWriteItemTypeDef]":
        """The parts of the job's transaction that keep what it waits for."""
        return (self._put(key, f"{PREFIX}{kind}", pack(value), expires) for kind, value in relations.items())

    def change_actions(
        self, key: JobKey, events: Sequence[Event], expires: int
    ) -> "Iterator[TransactWriteItemTypeDef]":
        """The part of a batch's transaction that keeps what it says of resources and conditions, if it does.

        What is held is read after the version that the batch replaces: if another batch changes it meanwhile, that
        version is no longer the stored one.
        """
        if not any(event.type in CHANGES for event in events):
            return
        place = relation_key(key, key.job, _CHANGED)
        item = self.dynamodb.get_item(TableName=self.table, Key=place, ConsistentRead=True).get("Item")
        changed = Changed(**unpack(item["d"]["B"])) if item else Changed()
        changed.take(events)
        yield self._put(key, _CHANGED, _packed(changed), expires)

    def _put(self, key: JobKey, place: str, data: bytes, expires: int) -> "TransactWriteItemTypeDef":
        kept: dict[str, AttributeValueTypeDef] = {"d": {"B": data}, "exp": {"N": str(expires)}}
        return {"Put": {"TableName": self.table, "Item": {**relation_key(key, key.job, place), **kept}}}


def relation_key(owner: JobKey, job_id: str, place: str) -> dict[str, Any]:
    """The primary key of an item in the partition of a job of the same project."""
    return {"pk": {"S": owner.job_key(job_id).partition}, "sk": {"S": place}}


def job_of(item: Item) -> str:
    """The id of the job in whose partition the item lies."""
    return str(item["pk"]["S"].rpartition("#")[2])


def relations(items: Mapping[str, Item]) -> Relations:
    """A job's resources and conditions, from its items by sort key."""
    held = {place: unpack(item["d"]["B"]) for place, item in items.items() if place.startswith(PREFIX)}
    changed = held.get(_CHANGED)
    return Relations(held.get(f"{PREFIX}resources", []), held.get(f"{PREFIX}conditions", []), Changed(**changed or {}))


def prerequisites(item: Item | None) -> dict[str, str | None]:
    """The jobs that a job waits for, each with what for; from the item that keeps them, if there is one."""
    return {} if item is None else dict(unpack(item["d"]["B"]))


def edge_key(key: JobKey, prerequisite: str) -> dict[str, Any]:
    """The primary key of the edge from a job that is waited for to the one that waits."""
    return relation_key(key, prerequisite, f"{EDGE}{key.job}")


def _edge(key: JobKey, prerequisite: str, expires: int) -> dict[str, Any]:
    return {**edge_key(key, prerequisite), "exp": {"N": str(expires)}}


def _packed(changed: Changed) -> bytes:
    """What fits an item: of texts that are too long together, only the last reported."""
    packed, limit = pack(changed.dump()), limits.RELATIONS
    while len(packed) > limits.CHUNK_BYTES:
        limit //= 2
        changed.forget(limit)
        packed = pack(changed.dump())
    return packed
