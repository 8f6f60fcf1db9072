"""Reads a page of a job's journal by time: log lines, samples, or entries of the timeline, in few requests.

Each kind of chunk is a stream, sorted by the latest time in each chunk. A stream has a *bound*: backward, no unread
chunk has an entry later than the bound, which is the end of the last chunk that was read. Forward, no unread chunk has
an entry earlier than the bound, which is that end minus the longest span of a chunk of this kind. So the entries beyond
the bounds of all streams are complete. The densest stream is read first: as many chunks as its share of the page needs.
Its bound is then the target of the other streams.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from operator import attrgetter
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from jobtrack import times
from jobtrack.domain.journal.chunks import Shelf, kinds, place_of, sort_key, unpack_chunk
from jobtrack.domain.journal.records import Family, Record
from jobtrack.store.item_kinds import CHUNK, FORMAT
from jobtrack.store.key_conditions import between
from jobtrack.store.snapshots import Snapshot

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

_LAST_SEQUENCE = 999_999_999_999
_SLACK = 1.05
"""Reading slightly more chunks than the mean suggests is cheaper than another query."""

Place = tuple[int, int]


class JournalQuery(Struct, frozen=True):
    """Which entries to read.

    Args:
        families: the kinds of entry.
        first: the earliest time (µs).
        last: the latest time (µs).
        limit: how many entries at most.
        backward: whether to read the newest entries; otherwise, the oldest.
        after: the place after which to continue, in the direction of reading.
    """

    families: Sequence[Family]
    first: int = times.EARLIEST
    last: int = times.LATEST
    limit: int = 1000
    backward: bool = True
    after: Place | None = None

    @property
    def low(self) -> int:
        """The earliest time that an entry of this page can have."""
        return self.first if self.backward or self.after is None else max(self.first, self.after[0])

    @property
    def high(self) -> int:
        """The latest time that an entry of this page can have."""
        return min(self.last, self.after[0]) if self.backward and self.after else self.last

    def contains(self, record: Record) -> bool:
        """Return whether to read an entry."""
        if self.after is not None:
            is_beyond = record.place < self.after if self.backward else record.place > self.after
            if not is_beyond:
                return False
        return self.first <= record.time <= self.last and record.family in self.families

    def select(self, chunk: Sequence[Record]) -> Sequence[Record]:
        """Return the entries of a chunk that the query asks for. The chunk is in the order of time."""
        if self.after is None and chunk and self.first <= chunk[0].time and chunk[-1].time <= self.last:
            return chunk
        return [record for record in chunk if self.contains(record)]


class _Stream(Struct):
    """The chunks of one kind.

    Args:
        kind: the kind of chunk.
        shelf: the summary of these chunks in the journal's directory.
        backward: whether the newest chunks are read first.
        position: where to continue.
        end: where to stop.
        bound: the time beyond which every entry is known (µs); None if all entries are known.
    """

    kind: str
    shelf: Shelf
    backward: bool
    position: Place
    end: Place
    bound: int | None

    @classmethod
    def over(cls, kind: str, shelf: Shelf, query: JournalQuery) -> "_Stream":
        """Return the stream of all chunks that can hold an entry that the query asks for."""
        start = max(query.low, shelf.first), 0
        end = min(query.high + shelf.span, shelf.last), _LAST_SEQUENCE
        if query.backward:
            return cls(kind, shelf, True, end, start, times.LATEST + 1)
        return cls(kind, shelf, False, start, end, times.EARLIEST - 1)

    def chunks_for(self, records: float) -> int:
        """Return about how many chunks to read for this many records, including chunks that overlap the last one."""
        shelf = self.shelf
        overlapping = shelf.span * shelf.chunks / max(1, shelf.last - shelf.first)
        return math.ceil(records * _SLACK * shelf.chunks / shelf.records + min(overlapping, shelf.chunks)) + 1

    def is_short_of(self, target: int | None) -> bool:
        """Return whether more chunks must be read to reach the target time (None: the end of the stream)."""
        if self.bound is None or target is None:
            return self.bound is not None
        return self.bound > target if self.backward else self.bound < target

    def stop_at(self, target: int | None) -> Place:
        """Return the place to read up to, so that every entry beyond the target time is known."""
        if target is None:
            return self.end
        if self.backward:
            return max(self.end, (target + 1, 0))
        return min(self.end, (target - 1 + self.shelf.span, _LAST_SEQUENCE))

    def keys(self, stop: Place) -> tuple[str, str]:
        """Return the first and the last sort key from the position up to the stop."""
        low, high = (stop, self.position) if self.backward else (self.position, stop)
        return sort_key(self.kind, *low), sort_key(self.kind, *high)

    def note_partial_read(self, last: Place) -> None:
        """Note that a query returned the chunks up to a place, and that there are more."""
        time, sequence = last
        self.position = (time, sequence - 1) if self.backward else (time, sequence + 1)
        self.bound = time if self.backward else time - self.shelf.span

    def note_full_read(self, stop: Place, target: int | None) -> None:
        """Note that all chunks up to the stop were read."""
        if stop == self.end:
            self.bound = None
        else:
            time, _ = stop
            self.position = (time - 1, _LAST_SEQUENCE) if self.backward else (time + 1, 0)
            self.bound = target


class JournalReader(Struct, eq=False):
    """Reads journals from the jobs table."""

    dynamodb: "DynamoDBClient"
    table: str

    def read_page(self, snapshot: Snapshot, query: JournalQuery) -> tuple[list[Record], bool]:
        """Return the entries of the query, ascending by time and sequence, and whether there are more after them.

        Entries that were reported after the snapshot are left out, even if a chunk already holds them.
        """
        streams = _streams(snapshot, query)
        records = {record.sequence: record for record in snapshot.journal.tail if query.contains(record)}
        needed = query.limit + 1  # one more entry shows that there are more
        complete = _complete(records, streams, query)
        while (unread := [stream for stream in streams if stream.bound is not None]) and len(complete) < needed:
            leader, *others = unread
            share = leader.shelf.records / sum(stream.shelf.records for stream in unread)
            count = leader.chunks_for((needed - len(complete)) * share)
            records |= self._read_chunks(snapshot, query, leader, None, count)
            for stream in others:
                if stream.is_short_of(leader.bound):
                    records |= self._read_chunks(snapshot, query, stream, leader.bound, stream.chunks_for(needed))
            complete = _complete(records, streams, query)
        page = complete[-query.limit :] if query.backward else complete[: query.limit]
        return page, len(complete) > query.limit

    def _read_chunks(
        self, snapshot: Snapshot, query: JournalQuery, stream: _Stream, target: int | None, limit: int
    ) -> dict[int, Record]:
        """Query the stream's next chunks up to the target time, at most `limit`; return their records by sequence."""
        stop = stream.stop_at(target)
        first, last = stream.keys(stop)
        if first > last:
            stream.note_full_read(stop, target)
            return {}
        response = self.dynamodb.query(
            TableName=self.table,
            ConsistentRead=True,
            **between(snapshot.key.partition, first, last),
            ProjectionExpression=f"sk, {FORMAT}, d",
            ScanIndexForward=not query.backward,
            Limit=limit,
        )
        if last_key := response.get("LastEvaluatedKey"):
            stream.note_partial_read(place_of(last_key["sk"]["S"]))
        else:
            stream.note_full_read(stop, target)
        chunks = (unpack_chunk(stream.kind, CHUNK.check(item)["d"]["B"]) for item in response["Items"])
        return {
            record.sequence: record
            for chunk in chunks
            for record in query.select(chunk)
            if record.sequence <= snapshot.job.sequence
        }


def with_records(snapshot: Snapshot, records: Iterable[Record]) -> Snapshot:
    """Return the snapshot with more records in its journal: the records of minutes that are not over."""
    return replace(snapshot, journal=replace(snapshot.journal, tail=[*snapshot.journal.tail, *records]))


def _streams(snapshot: Snapshot, query: JournalQuery) -> list[_Stream]:
    """Return the streams that can hold an entry that the query asks for, densest first."""
    shelves = [
        (kind, shelf)
        for family in query.families
        for kind in kinds(family)
        if (shelf := snapshot.journal.directory.get(kind)) and shelf.first <= query.high and shelf.last >= query.low
    ]
    shelves.sort(key=lambda kind_and_shelf: kind_and_shelf[1].records, reverse=True)
    return [_Stream.over(kind, shelf, query) for kind, shelf in shelves]


def _complete(records: Mapping[int, Record], streams: Iterable[_Stream], query: JournalQuery) -> list[Record]:
    """Return the records beyond the bounds of all streams, in order."""
    bounds = [stream.bound for stream in streams if stream.bound is not None]
    if not bounds:
        complete: Iterable[Record] = records.values()
    elif query.backward:
        complete = [record for record in records.values() if record.time > max(bounds)]
    else:
        complete = [record for record in records.values() if record.time < min(bounds)]
    return sorted(complete, key=attrgetter("time", "sequence"))
