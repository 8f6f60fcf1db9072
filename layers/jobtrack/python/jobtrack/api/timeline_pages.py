"""Reads a page of a job's timeline. A page that would not fit into a response ends early."""

from msgspec import Struct

from jobtrack.api import cursors
from jobtrack.api.schemas.job_queries import TimelineQuery
from jobtrack.domain.event_text import Language
from jobtrack.domain.timeline import Scope
from jobtrack.store.journal_reader import Place
from jobtrack.store.snapshots import Snapshot
from jobtrack.store.timeline import TimelineReader
from jobtrack.views.page_size import take_fitting
from jobtrack.views.responses.timeline import TimelineEvent
from jobtrack.views.timeline import entry


class TimelinePages(Struct, frozen=True):
    """Reads pages of a job's timeline."""

    reader: TimelineReader

    def read_page(
        self, snapshot: Snapshot, query: TimelineQuery, language: Language
    ) -> tuple[list[TimelineEvent], str | None]:
        """Return the events that the query asks for, and the cursor of the next page."""
        return cursors.read_page(
            f"{snapshot.key.partition}/timeline",
            cursors.JOURNAL,
            query.cursor,
            lambda after: self._read_events(snapshot, query, language, after),
        )

    def _read_events(
        self, snapshot: Snapshot, query: TimelineQuery, language: Language, after: Place | None
    ) -> tuple[list[TimelineEvent], Place | None]:
        scope = Scope(query.granularity, query.include_sub_events)
        records, more = self.reader.read_page(snapshot, scope, query.limit, after)
        events = take_fitting(entry(snapshot.job, record, language) for record in records)
        return events, records[len(events) - 1].place if more or len(events) < len(records) else None
