"""Reads a job's timeline, page by page."""

from msgspec import Struct

from jobtrack.domain.journal.progress_minutes import open_minutes
from jobtrack.domain.journal.records import Record
from jobtrack.domain.timeline import Scope
from jobtrack.store.journal_reader import JournalQuery, JournalReader, Place, with_records
from jobtrack.store.snapshots import Snapshot

_SLACK = 64
_READ_AHEAD = 2
"""A page reads twice as many entries as it shows, and a few more. So it rarely needs another query for the entries that
later ones replaced, or for the rest of its last minute, which must be complete."""


class TimelineReader(Struct, frozen=True):
    """Reads timelines from the jobs table: usually one query for each family of entries."""

    journals: JournalReader

    def read_page(self, snapshot: Snapshot, scope: Scope, limit: int, after: Place | None) -> tuple[list[Record], bool]:
        """Return the oldest entries after a place, ascending by time and sequence, and whether there are more."""
        whole = with_records(snapshot, open_minutes(snapshot.job))
        read: list[Record] = []
        selected: list[Record] = []
        size, more = _READ_AHEAD * limit + _SLACK, True
        while more and len(selected) <= limit:
            beyond = read[-1].place if read else after
            query = JournalQuery(scope.families, limit=size, backward=False, after=beyond)
            records, more = self.journals.read_page(whole, query)
            read += records
            selected = scope.select(read, more)
            size *= 2
        return selected[:limit], len(selected) > limit
