"""The journal of a job: what must be read again later, kept in time order, packed.

Records of one family gather in the snapshot's open *tail*. When the tail is full, its densest family is *sealed* into
chunks, each an item of its own whose key ends with the chunk's greatest time, so that a query by time touches nothing
else. Of the dense families, a chunk that spans over a minute is *wide* and lives apart: the few wide ones would
otherwise make every reader of the many normal ones look further back. A sparse family's chunks all span long, and are
few: one query reads them. The *directory* in the snapshot knows, of each kind, what a reader plans with.
"""

from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Any, Literal, NamedTuple, Self

import orjson
from msgspec import Struct, field

from jobtrack import limits, times
from jobtrack.domain.journal import sequence_index
from jobtrack.domain.journal.packing import pack, unpack
from jobtrack.domain.journal.sequence_index import STALE, Entry, Index

_NORMAL_SPAN = limits.NORMAL_SPAN_SECONDS * times.SECOND


class Family(StrEnum):
    """What is read together: log lines of a severity, or one grain of the timeline, or metrics."""

    DEBUG = "D"
    INFO = "I"
    WARN = "W"
    ERROR = "E"
    PROGRESS = "P"
    MINUTE_PROGRESS = "Q"
    EVENT = "T"
    METRIC_MINUTE = "M"


_Row = tuple[int, int, Any]
"""A stored record: the steps of time and sequence from the record before, and the body."""

_DENSE = (Family.DEBUG, Family.INFO, Family.PROGRESS)
LogLevel = Literal["DEBUG", "INFO", "WARN", "ERROR"]
LEVELS = (Family.DEBUG, Family.INFO, Family.WARN, Family.ERROR)
"""The severities of log lines, in order."""


class Record(NamedTuple):
    """One entry: its family, time (µs), sequence and what else is told of it."""

    family: Family
    time: int
    sequence: int
    body: Any

    @property
    def place(self) -> tuple[int, int]:
        """Where it stands in the job's order of time."""
        return self.time, self.sequence


class Chunk(Struct, frozen=True):
    """Records of one family sealed together; its key sorts by greatest time."""

    kind: str
    records: Sequence[Record]

    @property
    def sort_key(self) -> str:
        """Kind, greatest time, first sequence: no two chunks of a job share a record, so none a key."""
        return sort_key(self.kind, self.records[-1].time, min(record.sequence for record in self.records))

    def entry(self, sealed_at: int) -> Entry:
        """The chunk in the index by sequence."""
        sequences = [record.sequence for record in self.records]
        time = self.records[-1].time
        return Entry(self.kind, time, min(sequences), max(sequences), len(sequences), sealed_at)


def sort_key(kind: str, time: int, sequence: int = 0) -> str:
    """The key of a chunk of that kind whose greatest time is `time` (µs since 1970; the years 1 to 9999)."""
    return f"L{kind}#{time - times.EARLIEST:018d}#{sequence:012d}"


def place_of(key: str) -> tuple[int, int]:
    """The greatest time (µs) and first sequence of the chunk of that key."""
    _, time, sequence = key.split("#")
    return int(time) + times.EARLIEST, int(sequence)


def kinds(family: Family) -> tuple[str, ...]:
    """The kinds of chunk that a family has: normal and wide where it is dense, one where it is sparse."""
    return (f"{family}n", f"{family}w") if family in _DENSE else (f"{family}n",)


class Shelf(Struct, array_like=True):
    """What the directory knows of one kind of chunk: times in µs, the greatest span too."""

    records: int = 0
    chunks: int = 0
    first: int = 0
    last: int = 0
    span: int = 0

    def add(self, records: Sequence[Record]) -> None:
        """Count one more chunk, its records in order of time."""
        first, last = records[0].time, records[-1].time
        self.first = min(self.first, first) if self.chunks else first
        self.last = max(self.last, last) if self.chunks else last
        self.span = max(self.span, last - first)
        self.records += len(records)
        self.chunks += 1


class StoredJournal(Struct, omit_defaults=True):
    """The part of a journal that its snapshot stores beside the tail."""

    directory: dict[str, Shelf] = field(default_factory=dict)
    entries: list[sequence_index.Row] = field(default_factory=list)
    moved_to: int = 0


class Journal(Struct):
    """The open tail and the directory of what is sealed."""

    tail: list[Record] = field(default_factory=list)
    directory: dict[str, Shelf] = field(default_factory=dict)
    index: Index = field(default_factory=Index)

    def append(
        self, records: Iterable[Record], sequence: int, room: int = limits.TAIL_BYTES, quiet: bool = False
    ) -> list[Chunk]:
        """Take records in, up to the job's `sequence`; returns the chunks to store if the tail outgrew its `room`.

        A `quiet` batch, and one that writes chunks anyway, waits for longer with lines that are few and old.
        """
        self.tail += records
        chunks: list[Chunk] = []
        while len(self.packed_tail()) > room:
            chunks += self._seal(_densest(self.tail), sequence)
        if stale := self._stale(sequence, 2 * STALE if chunks or quiet else STALE):
            chunks += self._seal(stale, sequence)
        return chunks

    def _stale(self, sequence: int, age: int) -> Family | None:
        """The severity whose lines wait longest to be sealed, if they are so many sequences old."""
        waiting = [record for record in self.tail if record.family in LEVELS and record.sequence < sequence - age]
        return min(waiting, key=lambda record: record.sequence).family if waiting else None

    def packed_tail(self) -> bytes:
        """The tail as it is stored."""
        return pack({family: _rows(records) for family, records in _by_family(self.tail).items()})

    def _seal(self, family: Family, sequence: int) -> list[Chunk]:
        records = sorted((record for record in self.tail if record.family is family), key=lambda record: record.place)
        self.tail = [record for record in self.tail if record.family is not family]
        chunks = [Chunk(_kind(part), part) for run in _runs(records) for part in _cut_to_size(run)]
        for chunk in chunks:
            self.directory.setdefault(chunk.kind, Shelf()).add(chunk.records)
            if family in LEVELS:
                self.index.entries.append(chunk.entry(sequence))
        return chunks

    def count(self, family: Family) -> int:
        """How many records of the family there are."""
        sealed = sum(self.directory[kind].records for kind in kinds(family) if kind in self.directory)
        return sealed + sum(record.family is family for record in self.tail)

    def stored(self) -> StoredJournal:
        """The directory and the index, as the snapshot stores them."""
        return StoredJournal(self.directory, sequence_index.dump(self.index.entries), self.index.moved_to)

    @classmethod
    def load(cls, stored: StoredJournal, tail: bytes) -> Self:
        """Read what was stored."""
        rows = unpack(tail, dict[Family, list[_Row]])
        records = [record for family in rows for record in _records(family, rows[family])]
        records.sort(key=lambda record: record.sequence)
        return cls(records, stored.directory, Index(sequence_index.load(stored.entries), stored.moved_to))


def pack_chunk(chunk: Chunk) -> bytes:
    """The records of a chunk as they are stored."""
    return pack(_rows(chunk.records))


def unpack_chunk(kind: str, data: bytes) -> list[Record]:
    """The records of a stored chunk, in order of time."""
    return _records(Family(kind[0]), unpack(data, list[_Row]))


def _rows(records: Sequence[Record]) -> list[_Row]:
    """Times and sequences as steps from the record before: small numbers pack well."""
    rows: list[_Row] = []
    time = sequence = 0
    for record in records:
        rows.append((record.time - time, record.sequence - sequence, record.body))
        time, sequence = record.place
    return rows


def _records(family: Family, rows: Sequence[_Row]) -> list[Record]:
    records, time, sequence = [], 0, 0
    for time_step, sequence_step, body in rows:
        time, sequence = time + time_step, sequence + sequence_step
        records.append(Record(family, time, sequence, body))
    return records


def _by_family(records: Iterable[Record]) -> dict[Family, list[Record]]:
    groups: dict[Family, list[Record]] = {}
    for record in records:
        groups.setdefault(record.family, []).append(record)
    return groups


def _densest(records: Iterable[Record]) -> Family:
    groups = _by_family(records)
    return max(groups, key=lambda family: sum(len(orjson.dumps(record.body)) + 8 for record in groups[family]))


def _span(records: Sequence[Record]) -> int:
    return records[-1].time - records[0].time


def _kind(records: Sequence[Record]) -> str:
    normal, *wide = kinds(records[0].family)
    return wide[0] if wide and _span(records) > _NORMAL_SPAN else normal


def _runs(records: list[Record]) -> list[list[Record]]:
    """Keep what is far from the present lines out of their chunk: the minute that holds most, what is before, after.

    Lines that are merely jittered, or that come slowly, stay together: a chunk for a few of them would cost more than
    it saves a reader.
    """
    if _span(records) <= 2 * _NORMAL_SPAN:
        return [records]
    first, last = _busiest_minute([record.time for record in records])
    if 2 * (last - first) < len(records):
        return [records]
    return [run for run in (records[:first], records[first:last], records[last:]) if run]


def _busiest_minute(moments: Sequence[int]) -> tuple[int, int]:
    """Where the minute that holds most of these sorted times begins and ends in them."""
    best, first = (0, 0), 0
    for last, moment in enumerate(moments, 1):
        while moment - moments[first] > _NORMAL_SPAN:
            first += 1
        if last - first > best[1] - best[0]:
            best = first, last
    return best


def _cut_to_size(records: list[Record]) -> list[list[Record]]:
    """Halve until each part fits an item; one record always does."""
    if len(records) == 1 or len(pack(_rows(records))) <= limits.CHUNK_BYTES:
        return [records]
    middle = len(records) // 2
    return [*_cut_to_size(records[:middle]), *_cut_to_size(records[middle:])]
