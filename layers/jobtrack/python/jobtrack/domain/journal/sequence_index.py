"""The index of log chunks by sequence, for clients that follow a job in the order of its reports.

The keys of chunks are in the order of time; this index has the order in which chunks were sealed. The snapshot stores
the newest entries. When there are many, they are moved to a separate item. A line is sealed at most `RESIDENCE`
sequences after its own, so reading a range of sequences needs the entries of a range that is `RESIDENCE` longer.
"""

from collections.abc import Sequence
from typing import NamedTuple

from msgspec import Struct, field

from jobtrack import limits

STALE = 1_000
"""Age in sequences at which a line is sealed, even if its severity has few lines.

A batch seals only one severity because of its age. If it seals another severity anyway, the limit is twice this age.
"""
RESIDENCE = 2 * STALE + 4 * limits.EVENTS

_KEPT, _MOST, _CROWDED = 16, 32, 8


Row = tuple[str, int, int, int, int, int]
"""A stored entry: kind, then time, sequences, lines and sealing as steps from the entry before."""


class Entry(NamedTuple):
    """A chunk: its kind, its latest time (µs), its first and last sequence, its lines, and when it was sealed."""

    kind: str
    time: int
    first: int
    last: int
    lines: int
    sealed_at: int


class Index(Struct):
    """The entries in the snapshot. Entries of chunks sealed up to the sequence `moved_to` are in other items."""

    entries: list[Entry] = field(default_factory=list)
    moved_to: int = 0

    def take(self, busy: bool, crowded: bool = False) -> list[Entry]:
        """Remove and return the entries to move out, if there are enough of them.

        Args:
            busy: whether the batch also writes chunks; then more entries wait for the next batch.
            crowded: whether the snapshot has little room left; then fewer entries wait.
        """
        if len(self.entries) <= (_CROWDED if crowded else _MOST if busy else _KEPT):
            return []
        taken, self.entries = self.entries, []
        self.moved_to = taken[-1].sealed_at
        return taken


def sort_key(sealed_at: int) -> str:
    """Return the sort key of the item with the entries of chunks sealed up to this sequence."""
    return f"N#{sealed_at:012d}"


def dump(entries: Sequence[Entry]) -> list[Row]:
    """Return the stored form: differences from the entry before, because small numbers compress well."""
    rows: list[Row] = []
    time = sealed_at = 0
    for entry in entries:
        at = entry.sealed_at
        rows.append((entry.kind, entry.time - time, at - entry.first, at - entry.last, entry.lines, at - sealed_at))
        time, sealed_at = entry.time, at
    return rows


def load(rows: Sequence[Row]) -> list[Entry]:
    """Return the entries from their stored form."""
    entries: list[Entry] = []
    time = sealed_at = 0
    for kind, step, first, last, lines, later in rows:
        time, sealed_at = time + step, sealed_at + later
        entries.append(Entry(kind, time, sealed_at - first, sealed_at - last, lines, sealed_at))
    return entries
