"""Where the log lines of a range of sequences lie, for those who follow a job in the order of its reports.

Chunks are keyed by time; this index lists them in the order in which they were sealed. The newest entries are in the
snapshot, like the journal's tail; when they are many, they are moved out as one item. A line is sealed at most
`RESIDENCE` sequences after its own, so that a range of sequences needs only the entries of a range a little longer.
"""

from collections.abc import Sequence
from typing import NamedTuple

from msgspec import Struct, field

from jobtrack import limits

STALE = 1_000
"""A line so many sequences old is sealed, however few lines there are of its severity: one severity a batch, and
after twice as many sequences in a batch that seals others too."""
RESIDENCE = 2 * STALE + 4 * limits.EVENTS

_KEPT, _MOST, _CROWDED = 16, 32, 8


Row = tuple[str, int, int, int, int, int]
"""A stored entry: kind, then time, sequences, lines and sealing as steps from the entry before."""


class Entry(NamedTuple):
    """A chunk: its kind, its greatest time (µs), its first and last sequence, its lines, and when it was sealed."""

    kind: str
    time: int
    first: int
    last: int
    lines: int
    sealed_at: int


class Index(Struct):
    """The entries that are still in the snapshot; what was sealed up to `moved_to` is in items of its own."""

    entries: list[Entry] = field(default_factory=list)
    moved_to: int = 0

    def take(self, busy: bool, crowded: bool = False) -> list[Entry]:
        """The entries to move out now, if any.

        Many; a few less in a batch that writes no chunk beside, and still less where the snapshot is crowded.
        """
        if len(self.entries) <= (_CROWDED if crowded else _MOST if busy else _KEPT):
            return []
        taken, self.entries = self.entries, []
        self.moved_to = taken[-1].sealed_at
        return taken


def sort_key(sealed_at: int) -> str:
    """The key of the item that holds the entries sealed up to then."""
    return f"N#{sealed_at:012d}"


def dump(entries: Sequence[Entry]) -> list[Row]:
    """Entries as steps from the one before: small numbers pack well."""
    rows: list[Row] = []
    time = sealed_at = 0
    for entry in entries:
        at = entry.sealed_at
        rows.append((entry.kind, entry.time - time, at - entry.first, at - entry.last, entry.lines, at - sealed_at))
        time, sealed_at = entry.time, at
    return rows


def load(rows: Sequence[Row]) -> list[Entry]:
    """Read entries as they are stored."""
    entries: list[Entry] = []
    time = sealed_at = 0
    for kind, step, first, last, lines, later in rows:
        time, sealed_at = time + step, sealed_at + later
        entries.append(Entry(kind, time, sealed_at - first, sealed_at - last, lines, sealed_at))
    return entries
