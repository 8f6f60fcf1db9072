"""The parts of a transaction that write a job's next version."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from jobtrack import limits
from jobtrack.domain.events import AppliedEvent
from jobtrack.domain.job import Json
from jobtrack.domain.journal import sequence_index
from jobtrack.domain.journal.journal import Record, pack_chunk
from jobtrack.domain.journal.packing import pack
from jobtrack.errors import Unprocessable
from jobtrack.store import outbox, write_marks
from jobtrack.store.item_sizes import size
from jobtrack.store.snapshots import Snapshot, State, encode_listener, extras_key, snapshot_key, take_extras
from jobtrack.store.status_index import listing
from jobtrack.times import Micros

if TYPE_CHECKING:
    from types_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

_SNAPSHOT_BYTES = 380_000
_MARGIN = 64
"""So much may heartbeats grow a snapshot, by their sequence, time and version."""
_CROWDED_BYTES = 500
"""With less left for the tail, the index by sequence moves out early."""


class Version(Struct, frozen=True):
    """A job's version to come, in the jobs table, and when it and what lies beside it expire (epoch seconds)."""

    table: str
    snapshot: Snapshot
    expires: int
    beside_expires: int

    def parts(
        self, applied: Sequence[AppliedEvent], records: Iterable[Record], now: Micros
    ) -> "Sequence[TransactWriteItemTypeDef]":
        """What is stored beside the snapshot: chunks, entries of the index, extras, and the outbox; `now` in µs.

        It moves out of the snapshot what they hold, so the snapshot's own part is made after it.
        """
        extras = self._extras()
        sequence = self.snapshot.job.sequence
        items = [
            *self._chunks(records, all(each.event.type == "heartbeat" for each in applied)),
            *((extras_key(sequence, index), data) for index, data in enumerate(extras)),
        ]
        return [
            *(self._put({"sk": {"S": place}, "d": {"B": data}}) for place, data in items),
            *(self._put(item) for item in outbox.event_items(self.snapshot, applied, now)),
        ]

    def attributes(self) -> dict[str, Any]:
        """What the snapshot of this version holds."""
        return attributes(self.snapshot, self.expires)

    def creation(self) -> "TransactWriteItemTypeDef":
        """The first version, unless the job exists."""
        listeners = {name: encode_listener(listener) for name, listener in self.snapshot.listeners.items()}
        item = {**snapshot_key(self.snapshot.key), **self.attributes(), "subs": {"M": listeners}}
        return {"Put": {"TableName": self.table, "Item": item, "ConditionExpression": "attribute_not_exists(pk)"}}

    def update(self, written: Mapping[str, Any]) -> "TransactWriteItemTypeDef":
        """The next version: only what a batch changes, so that who listens stays as it is stored."""
        return {
            "Update": {
                "TableName": self.table,
                "Key": snapshot_key(self.snapshot.key),
                "UpdateExpression": "SET " + ", ".join(f"#{name} = :{name}" for name in written),
                "ConditionExpression": "#v = :held",
                "ExpressionAttributeNames": {f"#{name}": name for name in written},
                "ExpressionAttributeValues": {
                    ":held": {"N": str(self.snapshot.version)},
                    **{f":{name}": value for name, value in written.items()},
                },
                "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
            }
        }

    def _chunks(self, records: Iterable[Record], quiet: bool) -> Iterator[tuple[str, bytes]]:
        """What the journal moves out of the snapshot; heartbeats (`quiet`) move nothing for the room they take."""
        journal, sequence = self.snapshot.journal, self.snapshot.job.sequence
        left = limits.SNAPSHOT_BYTES if quiet else self._left()
        chunks = journal.append(records, sequence, _tail_room(left), quiet)
        if chunks and not quiet:  # what the journal knows of them takes room too
            chunks += journal.append((), sequence, _tail_room(self._left()))
        for chunk in chunks:
            yield chunk.sort_key, pack_chunk(chunk)
        if quiet:
            return
        if entries := journal.index.take(busy=bool(chunks), crowded=left < _CROWDED_BYTES):
            yield sequence_index.sort_key(entries[-1].sealed_at), pack(sequence_index.dump(entries))

    def _left(self) -> int:
        """Bytes that the snapshot leaves for the journal's tail."""
        listeners = {name: encode_listener(listener) for name, listener in self.snapshot.listeners.items()}
        item = {**snapshot_key(self.snapshot.key), **self.attributes(), "subs": {"M": listeners}}
        rest = size(item) - len(item["t"]["B"]) - len(self.snapshot.marks) + write_marks.MOST_BYTES
        return limits.SNAPSHOT_BYTES - rest - _MARGIN

    def _extras(self) -> list[bytes]:
        """What does not fit the snapshot, in items of at most 300 KB."""
        return _cut(take_extras(self.snapshot.job))

    def _put(self, item: dict[str, Any]) -> "TransactWriteItemTypeDef":
        key = {"pk": {"S": self.snapshot.key.partition}, "exp": {"N": str(self.beside_expires)}}
        return {"Put": {"TableName": self.table, "Item": {**key, **item}}}


def _tail_room(left: int) -> int:
    """How large the tail may grow; as large as ever where the rest is too large anyway."""
    return limits.TAIL_BYTES if left < limits.TAIL_BYTES_LEAST else min(left, limits.TAIL_BYTES)


def _cut(extras: Json) -> list[bytes]:
    if not extras:
        return []
    packed = pack(extras)
    stages = list(extras.get("stages", {}).items())
    if len(packed) <= limits.CHUNK_BYTES or len(stages) < 2:
        return [packed]
    middle = len(stages) // 2
    return [
        *_cut({**extras, "stages": dict(stages[:middle])}),
        *_cut({"stages": dict(stages[middle:])}),
    ]


def attributes(snapshot: Snapshot, expires: int) -> dict[str, Any]:
    """What a write of the next version sets, listeners aside: those are added and removed one by one.

    Raises:
        Unprocessable: the job's plan is larger than an item can be.
    """
    packed = pack(State(snapshot.job, snapshot.journal.stored()))
    if len(packed) > _SNAPSHOT_BYTES:
        raise Unprocessable(
            f"The job's stages and their labels take {len(packed)} bytes; {_SNAPSHOT_BYTES} is the limit."
        )
    partition, place = listing(snapshot.key, snapshot.job)
    return {
        "v": {"N": str(snapshot.version + 1)},
        "d": {"B": packed},
        "t": {"B": snapshot.journal.packed_tail()},
        "gpk": {"S": partition},
        "gsk": {"S": place},
        "exp": {"N": str(expires)},
        write_marks.ATTRIBUTE: {"B": snapshot.marks},
    }
