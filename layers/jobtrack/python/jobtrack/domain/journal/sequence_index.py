"""Where the log lines of a range of sequences lie, for those who follow a job in the order of its reports.

Chunks are keyed by time; this index lists them in the order in which they were sealed. The newest entries are in the
snapshot, like the journal's tail; when they are many, they are moved out as one item. A line is sealed at most
`RESIDENCE` sequences after its own, so that a range of sequences needs only the entries of a range a little longer.
"""

from collections.abc import Sequence
from dataclasses import field
from typing import NamedTuple, Self

from jobtrack import limits
from jobtrack.classes import mutable
from jobtrack.domain.job import Json

STALE = 1_000
"""A line so many sequences old is sealed, however few lines there are of its severity: one severity a batch, and
after twice as many sequences in a batch that seals others too."""
RESIDENCE = 2 * STALE + 4 * limits.EVENTS

_KEPT, _MOST, _CROWDED = 16, 32, 8


class Entry(NamedTuple):
    """A chunk: its kind, its greatest time (µs), its first and last sequence, its lines, and when it was sealed."""

    kind: str
    time: int
    first: int
    last: int
    lines: int
    sealed_at: int


@mutable
class Index:
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

    def dump(self) -> Json:
        """As it is stored, in the snapshot or, of entries moved out, in an item."""
        return {"entries": dump(self.entries), "movedTo": self.moved_to}

    @classmethod
    def load(cls, data: Json) -> Self:
        """Read what was stored."""
        return cls(load(data["entries"]), data["movedTo"])


def sort_key(sealed_at: int) -> str:
    """The key of the item that holds the entries sealed up to then."""
    return f"N#{sealed_at:012d}"


def dump(entries: Sequence[Entry]) -> list[list[int | str]]:
    """Entries as steps from the one before: small numbers pack well."""
    rows: list[list[int | str]] = []
    time = sealed_at = 0
    for each in entries:
        rows.append(
            [
                each.kind,
                each.time - time,
                each.sealed_at - each.first,
                each.sealed_at - each.last,
                each.lines,
                each.sealed_at - sealed_at,
            ]
        )
        time, sealed_at = each.time, each.sealed_at
    return rows


def load(rows: Sequence[Sequence[int | str]]) -> list[Entry]:
    """Read entries as they are stored."""
    entries: list[Entry] = []
    time = sealed_at = 0
    for kind, step, first, last, count, later in rows:
        time, sealed_at = time + int(step), sealed_at + int(later)
        entries.append(Entry(str(kind), time, sealed_at - int(first), sealed_at - int(last), int(count), sealed_at))
    return entries
