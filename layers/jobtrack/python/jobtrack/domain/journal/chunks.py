"""Chunks: the items into which records of the journal are sealed, their keys, and how records are divided into them."""

from collections.abc import Sequence

from msgspec import Struct

from jobtrack import limits, times
from jobtrack.domain.journal.packing import pack, unpack
from jobtrack.domain.journal.records import Family, Record, Row, decode_rows, encode_rows
from jobtrack.domain.journal.sequence_index import Entry
from jobtrack.times import Micros

_NORMAL_SPAN = limits.NORMAL_SPAN_SECONDS * times.SECOND
_DENSE = (Family.DEBUG, Family.INFO, Family.PROGRESS)
"""Families with many records in a short time."""


class Chunk(Struct, frozen=True):
    """Records of one family, in the order of time, that are sealed into an item."""

    kind: str
    records: Sequence[Record]

    @property
    def sort_key(self) -> str:
        """Kind, latest time, first sequence. No two chunks of a job share a record, so the key is unique."""
        return sort_key(self.kind, self.records[-1].time, min(record.sequence for record in self.records))

    def entry(self, sealed_at: int) -> Entry:
        """Return the entry of the chunk in the index by sequence."""
        sequences = [record.sequence for record in self.records]
        time = self.records[-1].time
        return Entry(self.kind, time, min(sequences), max(sequences), len(sequences), sealed_at)


class Shelf(Struct, array_like=True):
    """The summary of the chunks of one kind, for planning queries. `span` is that of the longest chunk."""

    records: int = 0
    chunks: int = 0
    first: Micros = times.EPOCH
    last: Micros = times.EPOCH
    span: int = 0

    def add(self, records: Sequence[Record]) -> None:
        """Add a chunk with these records, which are in the order of time."""
        first, last = records[0].time, records[-1].time
        self.first = min(self.first, first) if self.chunks else first
        self.last = max(self.last, last) if self.chunks else last
        self.span = max(self.span, last - first)
        self.records += len(records)
        self.chunks += 1


def kinds(family: Family) -> tuple[str, ...]:
    """Return the kinds of chunk of a family: normal and wide for a dense family, else one."""
    return (f"{family}n", f"{family}w") if family in _DENSE else (f"{family}n",)


def sort_key(kind: str, time: int, sequence: int = 0) -> str:
    """Return the sort key of a chunk by its kind, latest time and first sequence."""
    return f"L{kind}#{time - times.EARLIEST:018d}#{sequence:012d}"


def place_of(key: str) -> tuple[Micros, int]:
    """Return the latest time and first sequence of a chunk from its sort key."""
    _, time, sequence = key.split("#")
    return Micros(int(time) + times.EARLIEST), int(sequence)


def pack_chunk(chunk: Chunk) -> bytes:
    """Return the stored form of a chunk's records."""
    return pack(encode_rows(chunk.records))


def unpack_chunk(kind: str, data: bytes) -> list[Record]:
    """Return the records of a stored chunk, in the order of time."""
    return decode_rows(Family(kind[0]), unpack(data, list[Row]))


def split_into_chunks(records: list[Record]) -> list[Chunk]:
    """Divide records of one family, in the order of time, into chunks that each fit into an item."""
    return [Chunk(_kind(part), part) for run in _split_by_time(records) for part in _split_by_size(run)]


def _kind(records: Sequence[Record]) -> str:
    normal, *wide = kinds(records[0].family)
    return wide[0] if wide and _span(records) > _NORMAL_SPAN else normal


def _span(records: Sequence[Record]) -> int:
    return records[-1].time - records[0].time


def _split_by_time(records: list[Record]) -> list[list[Record]]:
    """Separate the records of the minute that has the most records from the records before and after it.

    Records that are only jittered, or that arrive slowly, stay together: a chunk of a few records costs more than it
    saves a reader.
    """
    if _span(records) <= 2 * _NORMAL_SPAN:
        return [records]
    first, last = _busiest_minute([record.time for record in records])
    if 2 * (last - first) < len(records):
        return [records]
    return [run for run in (records[:first], records[first:last], records[last:]) if run]


def _busiest_minute(moments: Sequence[int]) -> tuple[int, int]:
    """Return the range of indexes, in sorted times, of the minute that has the most times."""
    best, first = (0, 0), 0
    for last, moment in enumerate(moments, 1):
        while moment - moments[first] > _NORMAL_SPAN:
            first += 1
        if last - first > best[1] - best[0]:
            best = first, last
    return best


def _split_by_size(records: list[Record]) -> list[list[Record]]:
    """Halve until each part fits into an item; a single record always fits."""
    if len(records) == 1 or len(pack(encode_rows(records))) <= limits.CHUNK_BYTES:
        return [records]
    middle = len(records) // 2
    return [*_split_by_size(records[:middle]), *_split_by_size(records[middle:])]
