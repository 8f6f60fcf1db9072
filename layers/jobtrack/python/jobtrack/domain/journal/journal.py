"""The journal of a job: its log lines, timeline entries and metrics, packed in the order of time.

New records collect in the *tail*, which is part of the snapshot. When the tail is full, its densest family is *sealed*
into chunks. A chunk is an item whose sort key ends with the latest time of its records, so that a query by time reads
only the chunks that it needs. In a dense family, a chunk that spans more than a minute is *wide* and has a sort key of
its own kind: otherwise a reader of the many normal chunks would have to read further back because of a few wide chunks.
The chunks of a sparse family all span a long time, but one query reads them. The *directory* in the snapshot has a
summary of the chunks of each kind, by which a reader plans its queries.
"""

from collections.abc import Iterable
from typing import Self

import orjson
from msgspec import Struct, field

from jobtrack import limits
from jobtrack.domain.journal import sequence_index
from jobtrack.domain.journal.chunks import Chunk, Shelf, kinds, split_into_chunks
from jobtrack.domain.journal.packing import pack, unpack
from jobtrack.domain.journal.records import LEVELS, Family, Record, Row, decode_rows, encode_rows
from jobtrack.domain.journal.sequence_index import STALE, Index


class StoredJournal(Struct, omit_defaults=True):
    """The part of a journal that the snapshot stores apart from the tail."""

    directory: dict[str, Shelf] = field(default_factory=dict)
    entries: list[sequence_index.Row] = field(default_factory=list)
    moved_to: int = 0


class Journal(Struct):
    """The tail, the directory of sealed chunks, and their index by sequence."""

    tail: list[Record] = field(default_factory=list)
    directory: dict[str, Shelf] = field(default_factory=dict)
    index: Index = field(default_factory=Index)

    def append(
        self, records: Iterable[Record], sequence: int, room: int = limits.TAIL_BYTES, quiet: bool = False
    ) -> list[Chunk]:
        """Add records to the tail. Return the chunks to store, if the tail has become larger than `room`.

        Args:
            records: the new records.
            sequence: the last sequence of the job.
            room: the maximum size of the packed tail in bytes.
            quiet: whether the batch should not write a chunk just because a few lines are old. A batch that writes
                other chunks also keeps such lines longer.
        """
        self.tail += records
        chunks: list[Chunk] = []
        while len(self.packed_tail()) > room:
            chunks += self._seal(_densest_family(self.tail), sequence)
        if stale := self._stale_family(sequence, 2 * STALE if chunks or quiet else STALE):
            chunks += self._seal(stale, sequence)
        return chunks

    def packed_tail(self) -> bytes:
        """Return the stored form of the tail."""
        return pack({family: encode_rows(records) for family, records in _by_family(self.tail).items()})

    def count(self, family: Family) -> int:
        """Return the number of records of the family."""
        sealed = sum(self.directory[kind].records for kind in kinds(family) if kind in self.directory)
        return sealed + sum(record.family is family for record in self.tail)

    def stored(self) -> StoredJournal:
        """Return the stored form of the directory and the index."""
        return StoredJournal(self.directory, sequence_index.dump(self.index.entries), self.index.moved_to)

    @classmethod
    def load(cls, stored: StoredJournal, tail: bytes) -> Self:
        """Return the journal from its stored form."""
        rows = unpack(tail, dict[Family, list[Row]])
        records = [record for family in rows for record in decode_rows(family, rows[family])]
        records.sort(key=lambda record: record.sequence)
        return cls(records, stored.directory, Index(sequence_index.load(stored.entries), stored.moved_to))

    def _stale_family(self, sequence: int, age: int) -> Family | None:
        """Return the severity whose lines wait longest, if they are older than `age` sequences."""
        waiting = [record for record in self.tail if record.family in LEVELS and record.sequence < sequence - age]
        return min(waiting, key=lambda record: record.sequence).family if waiting else None

    def _seal(self, family: Family, sequence: int) -> list[Chunk]:
        records = sorted((record for record in self.tail if record.family is family), key=lambda record: record.place)
        self.tail = [record for record in self.tail if record.family is not family]
        chunks = split_into_chunks(records)
        for chunk in chunks:
            self.directory.setdefault(chunk.kind, Shelf()).add(chunk.records)
            if family in LEVELS:
                self.index.entries.append(chunk.entry(sequence))
        return chunks


def _by_family(records: Iterable[Record]) -> dict[Family, list[Record]]:
    groups: dict[Family, list[Record]] = {}
    for record in records:
        groups.setdefault(record.family, []).append(record)
    return groups


def _densest_family(records: Iterable[Record]) -> Family:
    """Return the family that takes the most bytes. Times and sequences take about 8 bytes of each record."""
    groups = _by_family(records)
    return max(groups, key=lambda family: sum(len(orjson.dumps(record.body)) + 8 for record in groups[family]))
