"""A change of a job, and the actions that write its next version: the snapshot and other items."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import copy
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from jobtrack import limits
from jobtrack.domain.events import AppliedEvent
from jobtrack.domain.job import Job, Json
from jobtrack.domain.journal import sequence_index
from jobtrack.domain.journal.chunks import pack_chunk
from jobtrack.domain.journal.packing import pack
from jobtrack.domain.journal.records import Record
from jobtrack.errors import Unprocessable
from jobtrack.keys import JobKey
from jobtrack.store import open_job_counters, outbox, write_marks
from jobtrack.store.item_kinds import CHUNK, EXTRAS, SEQUENCE_INDEX, SNAPSHOT, ItemKind
from jobtrack.store.item_sizes import item_size
from jobtrack.store.snapshots import (
    Snapshot,
    State,
    decode_snapshot,
    encode_listener,
    extras_key,
    snapshot_key,
    take_extras,
)
from jobtrack.store.status_index import index_key
from jobtrack.store.transactions import Item
from jobtrack.store.ttl import encode_expiry, encode_job_expiry
from jobtrack.times import Micros

if TYPE_CHECKING:
    from types_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

_MAX_STATE_BYTES = 380_000
"""The maximum size of the job's state: an item of DynamoDB has at most 400 KB."""
_MARGIN_BYTES = 64
"""Room for what heartbeats add to a snapshot: longer sequence numbers, times and versions."""
_CROWDED_BYTES = 500
"""If less is left for the tail, the index by sequence moves out early."""


class JobDraft(Struct):
    """A change of a job, before it is written.

    Args:
        item: the snapshot as it was read.
        before: the job as it was read.
        snapshot: the snapshot to write.
        now: the moment of the change.
    """

    item: Item
    before: Job
    snapshot: Snapshot
    now: Micros

    @classmethod
    def from_item(cls, key: JobKey, item: Item, now: Micros) -> "JobDraft":
        """Return a draft that changes nothing yet."""
        snapshot = decode_snapshot(key, item)
        return cls(item, copy(snapshot.job), snapshot, now)


class NextVersion(Struct, frozen=True):
    """A job's next version.

    Args:
        table: the jobs table.
        snapshot: the job.
        expires: when the snapshot expires.
        beside_expires: when the other items expire.
    """

    table: str
    snapshot: Snapshot
    expires: Micros
    beside_expires: Micros

    def beside_actions(
        self, applied: Sequence[AppliedEvent], records: Iterable[Record], now: Micros
    ) -> "Sequence[TransactWriteItemTypeDef]":
        """Return the actions that write the other items: chunks, index, extras, and outbox.

        This moves their contents out of the snapshot, so call it before `attributes`.
        """
        extras = _split(take_extras(self.snapshot.job))
        sequence = self.snapshot.job.sequence
        items = [
            *self._chunks(records, all(event.event.type == "heartbeat" for event in applied)),
            *((EXTRAS, extras_key(sequence, index), data) for index, data in enumerate(extras)),
        ]
        return [
            *(
                self._put_action({"sk": {"S": sort_key}, **kind.stamp, "d": {"B": data}})
                for kind, sort_key, data in items
            ),
            *(self._put_action(item) for item in outbox.event_items(self.snapshot, applied, now)),
        ]

    def attributes(self) -> dict[str, Any]:
        """Return the attributes of the snapshot."""
        return attributes(self.snapshot, self.expires, self.snapshot.journal.packed_tail())

    def create_action(self, attributes: Mapping[str, Any]) -> "TransactWriteItemTypeDef":
        """Return the action that writes the first version, unless the job exists."""
        item = self._item(attributes)
        return {"Put": {"TableName": self.table, "Item": item, "ConditionExpression": "attribute_not_exists(pk)"}}

    def update_action(self, attributes: Mapping[str, Any]) -> "TransactWriteItemTypeDef":
        """Return the action that writes a later version: all attributes but the listeners, which stay as stored."""
        return {
            "Update": {
                "TableName": self.table,
                "Key": snapshot_key(self.snapshot.key),
                "UpdateExpression": "SET " + ", ".join(f"#{name} = :{name}" for name in attributes),
                "ConditionExpression": "#v = :stored",
                "ExpressionAttributeNames": {f"#{name}": name for name in attributes},
                "ExpressionAttributeValues": {
                    ":stored": {"N": str(self.snapshot.version)},
                    **{f":{name}": value for name, value in attributes.items()},
                },
                "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
            }
        }

    def _chunks(self, records: Iterable[Record], quiet: bool) -> Iterator[tuple[ItemKind, str, bytes]]:
        """Yield the items that the journal moves out of the snapshot: kind, sort key and content.

        For heartbeats (`quiet`), it moves nothing early.
        """
        journal, sequence = self.snapshot.journal, self.snapshot.job.sequence
        left = limits.SNAPSHOT_BYTES if quiet else self._bytes_left()
        chunks = journal.append(records, sequence, _tail_room(left), quiet)
        if chunks and not quiet:  # the entries of the new chunks in the journal's directory need room too
            chunks += journal.append((), sequence, _tail_room(self._bytes_left()))
        for chunk in chunks:
            yield CHUNK, chunk.sort_key, pack_chunk(chunk)
        if quiet:
            return
        if entries := journal.index.take(busy=bool(chunks), crowded=left < _CROWDED_BYTES):
            sort_key = sequence_index.sort_key(entries[-1].sealed_at)
            yield SEQUENCE_INDEX, sort_key, pack(sequence_index.dump(entries))

    def _item(self, attributes: Mapping[str, Any]) -> dict[str, Any]:
        listeners = {name: encode_listener(listener) for name, listener in self.snapshot.listeners.items()}
        return {**snapshot_key(self.snapshot.key), **attributes, "subs": {"M": listeners}}

    def _bytes_left(self) -> int:
        """Return how many bytes the snapshot leaves for the journal's tail."""
        item = self._item(attributes(self.snapshot, self.expires, tail=b""))
        rest = item_size(item) - len(self.snapshot.marks) + write_marks.MAX_BYTES
        return limits.SNAPSHOT_BYTES - rest - _MARGIN_BYTES

    def _put_action(self, item: dict[str, Any]) -> "TransactWriteItemTypeDef":
        key = {"pk": {"S": self.snapshot.key.partition}, "exp": encode_expiry(self.beside_expires)}
        return {"Put": {"TableName": self.table, "Item": {**key, **item}}}


def _tail_room(left: int) -> int:
    """Return how large the tail may become. If the rest of the snapshot is too large anyway, this is the usual size."""
    return limits.TAIL_BYTES if left < limits.TAIL_BYTES_LEAST else min(left, limits.TAIL_BYTES)


def _split(extras: Json) -> list[bytes]:
    """Return the extras packed, in parts that fit into an item."""
    if not extras:
        return []
    packed = pack(extras)
    stages = list(extras.get("stages", {}).items())
    if len(packed) <= limits.CHUNK_BYTES or len(stages) < 2:
        return [packed]
    middle = len(stages) // 2
    return [
        *_split({**extras, "stages": dict(stages[:middle])}),
        *_split({"stages": dict(stages[middle:])}),
    ]


def attributes(snapshot: Snapshot, expires: Micros, tail: bytes) -> dict[str, Any]:
    """Return the attributes of the next version's snapshot, without the listeners.

    `tail` is the packed tail of its journal.

    Raises:
        Unprocessable: the job's plan is too large for an item.
    """
    packed = pack(State(snapshot.job, snapshot.journal.stored()))
    if len(packed) > _MAX_STATE_BYTES:
        raise Unprocessable(
            f"The job's stages and their labels take {len(packed)} bytes; {_MAX_STATE_BYTES} is the limit."
        )
    partition, sort_key = index_key(snapshot.key, snapshot.job)
    return {
        **SNAPSHOT.stamp,
        "v": {"N": str(snapshot.version + 1)},
        "d": {"B": packed},
        "t": {"B": tail},
        "gpk": {"S": partition},
        "gsk": {"S": sort_key},
        open_job_counters.ATTRIBUTE: open_job_counters.counted_attribute(snapshot.job),
        **encode_job_expiry(expires, snapshot.job.status.ended),
        write_marks.ATTRIBUTE: {"B": snapshot.marks},
    }
