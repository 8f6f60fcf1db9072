"""Reading a journal by time: the entries of some families nearest to one end of a range, in few requests.

Each kind of chunk is a stream sorted by its chunks' greatest time. Whatever has been read of a stream, nothing unread
lies beyond its *bound*: backward, an unread chunk ends no later than the last one read; forward, it begins no earlier
than that one's end less the kind's greatest span. What lies beyond every stream's bound is complete. The densest stream
is read first, as many chunks as its share of the wanted entries fills, and its bound is the target of the others.
"""

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from jobtrack import times
from jobtrack.domain.journal.journal import Family, Record, Shelf, kinds, place_of, sort_key, unpack_chunk
from jobtrack.store.key_conditions import between
from jobtrack.store.snapshots import Snapshot

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

_LAST_SEQUENCE = 999_999_999_999
_SLACK = 1.05
"""A little more than the mean asks for is cheaper than another round of queries."""

Place = tuple[int, int]


class Range(Struct, frozen=True):
    """Which entries are asked for: times inclusive (µs), at most `limit`, newest or oldest, beyond `after`."""

    families: Sequence[Family]
    first: int = times.EARLIEST
    last: int = times.LATEST
    limit: int = 1000
    backward: bool = True
    after: Place | None = None

    @property
    def low(self) -> int:
        """The least time that an entry of this page can have."""
        return self.first if self.backward or self.after is None else max(self.first, self.after[0])

    @property
    def high(self) -> int:
        """The greatest time that an entry of this page can have."""
        return min(self.last, self.after[0]) if self.backward and self.after else self.last

    def holds(self, record: Record) -> bool:
        """Whether the entry is asked for."""
        if self.after is not None:
            beyond = record.place < self.after if self.backward else record.place > self.after
            if not beyond:
                return False
        return self.first <= record.time <= self.last and record.family in self.families


class _Stream(Struct):
    """One kind of chunk: where to read on, and the time beyond which nothing of it is unread (None: all is read)."""

    kind: str
    shelf: Shelf
    backward: bool
    position: Place
    end: Place
    bound: int | None

    @classmethod
    def over(cls, kind: str, shelf: Shelf, asked: Range) -> "_Stream":
        """The stream of all chunks that can hold an entry asked for."""
        start = max(asked.low, shelf.first), 0
        end = min(asked.high + shelf.span, shelf.last), _LAST_SEQUENCE
        if asked.backward:
            return cls(kind, shelf, True, end, start, times.LATEST + 1)
        return cls(kind, shelf, False, start, end, times.EARLIEST - 1)

    def chunks_for(self, records: float) -> int:
        """About how many chunks hold so many records beyond the bound: those that overlap the last one count too."""
        shelf = self.shelf
        overlapping = shelf.span * shelf.chunks / max(1, shelf.last - shelf.first)
        return math.ceil(records * _SLACK * shelf.chunks / shelf.records + min(overlapping, shelf.chunks)) + 1

    def short_of(self, target: int | None) -> bool:
        """Whether it is known less far than the target (None: to its end)."""
        if self.bound is None or target is None:
            return self.bound is not None
        return self.bound > target if self.backward else self.bound < target

    def stop(self, target: int | None) -> Place:
        """The place to read up to, so that all beyond the target is known."""
        if target is None:
            return self.end
        if self.backward:
            return max(self.end, (target + 1, 0))
        return min(self.end, (target - 1 + self.shelf.span, _LAST_SEQUENCE))

    def keys(self, stop: Place) -> tuple[str, str]:
        """The least and the greatest key from the position up to the stop."""
        low, high = (stop, self.position) if self.backward else (self.position, stop)
        return sort_key(self.kind, *low), sort_key(self.kind, *high)

    def cut_at(self, last: Place) -> None:
        """Note that the query ended early, after the chunk at that place."""
        time, sequence = last
        self.position = (time, sequence - 1) if self.backward else (time, sequence + 1)
        self.bound = time if self.backward else time - self.shelf.span

    def reached(self, stop: Place, target: int | None) -> None:
        """Note that all up to the stop is read."""
        if stop == self.end:
            self.bound = None
        else:
            time, _ = stop
            self.position = (time - 1, _LAST_SEQUENCE) if self.backward else (time + 1, 0)
            self.bound = target


class JournalReader(Struct, eq=False):
    """Reads the journals of the jobs table."""

    dynamodb: "DynamoDBClient"
    table: str

    def read_page(self, snapshot: Snapshot, asked: Range) -> tuple[list[Record], bool]:
        """The entries asked for, ascending by time and sequence, and whether more lie beyond them.

        Nothing reported after the snapshot was read is in it, even where a chunk already holds it.
        """
        streams = _streams(snapshot, asked)
        found = {record.sequence: record for record in snapshot.journal.tail if asked.holds(record)}
        wanted = asked.limit + 1
        complete = _complete(found, streams, asked)
        while (unread := [stream for stream in streams if stream.bound is not None]) and len(complete) < wanted:
            leader, *others = unread
            share = leader.shelf.records / sum(stream.shelf.records for stream in unread)
            self._read_chunks(snapshot, asked, leader, None, leader.chunks_for((wanted - len(complete)) * share), found)
            for stream in others:
                if stream.short_of(leader.bound):
                    self._read_chunks(snapshot, asked, stream, leader.bound, stream.chunks_for(wanted), found)
            complete = _complete(found, streams, asked)
        page = complete[-asked.limit :] if asked.backward else complete[: asked.limit]
        return page, len(complete) > asked.limit

    def _read_chunks(
        self,
        snapshot: Snapshot,
        asked: Range,
        stream: _Stream,
        target: int | None,
        most: int,
        found: dict[int, Record],
    ) -> None:
        """One query: the stream's next chunks up to the target time, at most so many."""
        stop = stream.stop(target)
        low, high = stream.keys(stop)
        if low > high:
            stream.reached(stop, target)
            return
        answer = self.dynamodb.query(
            TableName=self.table,
            ConsistentRead=True,
            **between(snapshot.key.partition, low, high),
            ProjectionExpression="sk, d",
            ScanIndexForward=not asked.backward,
            Limit=most,
        )
        for item in answer["Items"]:
            for record in unpack_chunk(stream.kind, item["d"]["B"]):
                if record.sequence <= snapshot.job.sequence and asked.holds(record):
                    found[record.sequence] = record
        if last := answer.get("LastEvaluatedKey"):
            stream.cut_at(place_of(last["sk"]["S"]))
        else:
            stream.reached(stop, target)


def joined(snapshot: Snapshot, records: Iterable[Record]) -> Snapshot:
    """The snapshot with records that its state holds, but its journal not yet."""
    return replace(snapshot, journal=replace(snapshot.journal, tail=[*snapshot.journal.tail, *records]))


def _streams(snapshot: Snapshot, asked: Range) -> list[_Stream]:
    """The streams that can hold an entry asked for, densest first."""
    shelves = [
        (kind, shelf)
        for family in asked.families
        for kind in kinds(family)
        if (shelf := snapshot.journal.directory.get(kind)) and shelf.first <= asked.high and shelf.last >= asked.low
    ]
    shelves.sort(key=lambda each: each[1].records, reverse=True)
    return [_Stream.over(kind, shelf, asked) for kind, shelf in shelves]


def _complete(found: Mapping[int, Record], streams: Iterable[_Stream], asked: Range) -> list[Record]:
    """What was found where nothing unread can lie between, in order."""
    bounds = [stream.bound for stream in streams if stream.bound is not None]
    if not bounds:
        known: Collection[Record] = found.values()
    elif asked.backward:
        known = [record for record in found.values() if record.time > max(bounds)]
    else:
        known = [record for record in found.values() if record.time < min(bounds)]
    return sorted(known, key=lambda record: record.place)
