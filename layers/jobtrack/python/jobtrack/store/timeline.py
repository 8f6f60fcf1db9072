"""Reading a job's timeline, page by page."""

from msgspec import Struct

from jobtrack.domain.journal.journal import Record
from jobtrack.domain.journal.progress_minutes import open_minutes
from jobtrack.domain.timeline import Scope
from jobtrack.store.journal_reader import JournalReader, Place, Range, joined
from jobtrack.store.snapshots import Snapshot

_SLACK = 64
_READ_AHEAD = 2
"""A page reads twice as much at once, and a little more: what later updates replaced, and the last minute on it, which
must be known whole, cost no other round of queries then."""


class TimelineReader(Struct, frozen=True):
    """Reads timelines from the jobs table: one query a family, more only where much that is read is not shown."""

    journals: JournalReader

    def read_page(self, snapshot: Snapshot, scope: Scope, limit: int, after: Place | None) -> tuple[list[Record], bool]:
        """The oldest entries beyond the place, ascending by time and sequence, and whether more lie beyond them."""
        whole = joined(snapshot, open_minutes(snapshot.job))
        read: list[Record] = []
        shown: list[Record] = []
        size, more = _READ_AHEAD * limit + _SLACK, True
        while more and len(shown) <= limit:
            beyond = read[-1].place if read else after
            asked = Range(scope.families, limit=size, backward=False, after=beyond)
            found, more = self.journals.read_page(whole, asked)
            read += found
            shown = scope.select(read, more)
            size *= 2
        return shown[:limit], len(shown) > limit
