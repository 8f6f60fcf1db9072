"""Reads a page of a job's log: by time, after a cursor, or by sequence number, after a given number.

A page that would not fit into a response ends early.
"""

from collections.abc import Sequence
from typing import NamedTuple

from msgspec import Struct

from jobtrack.api import cursors
from jobtrack.api.schemas.job_queries import LogQuery
from jobtrack.domain.journal.records import Record
from jobtrack.store.journal_reader import JournalQuery, JournalReader, Place
from jobtrack.store.log_follower import LogFollower
from jobtrack.store.snapshots import Snapshot
from jobtrack.views.logs import levels_from, take_fitting_lines
from jobtrack.views.responses.logs import LogEntry


class LogPage(NamedTuple):
    """Log lines, the cursor of the next page, and the sequence number from which to follow the log.

    `records` are the journal's records of these lines.
    """

    records: Sequence[Record]
    lines: list[LogEntry]
    cursor: str | None
    sequence: int


class LogPages(Struct, frozen=True):
    """Reads pages of a job's log."""

    reader: JournalReader
    follower: LogFollower

    def read_page(self, snapshot: Snapshot, query: LogQuery) -> LogPage:
        """Return the page that the query asks for."""
        if query.since_sequence is None:
            return self._read_by_time(snapshot, query)
        return self._read_by_sequence(snapshot, query, query.since_sequence)

    def _read_by_time(self, snapshot: Snapshot, query: LogQuery) -> LogPage:
        (records, lines), cursor = cursors.read_page(
            f"{snapshot.key.partition}/{query.direction}",
            cursors.JOURNAL,
            query.cursor,
            lambda after: self._read_records(snapshot, query, after),
        )
        return LogPage(records, lines, cursor, snapshot.job.sequence)

    def _read_records(
        self, snapshot: Snapshot, query: LogQuery, after: Place | None
    ) -> tuple[tuple[Sequence[Record], list[LogEntry]], Place | None]:
        backward = query.direction == "backward"
        wanted = JournalQuery(levels_from(query.level), query.from_time, query.to_time, query.limit, backward, after)
        records, more = self.reader.read_page(snapshot, wanted)
        lines = take_fitting_lines(records, backward)
        fitting = records[len(records) - len(lines) :] if backward else records[: len(lines)]
        if not fitting or not (more or len(fitting) < len(records)):
            return (fitting, lines), None
        return (fitting, lines), fitting[0 if backward else -1].place

    def _read_by_sequence(self, snapshot: Snapshot, query: LogQuery, since_sequence: int) -> LogPage:
        wanted = JournalQuery(levels_from(query.level), query.from_time, query.to_time, query.limit)
        records, sequence = self.follower.read_lines(snapshot, wanted, since_sequence)
        lines = take_fitting_lines(records, backward=False)
        fitting = records[: len(lines)]
        return LogPage(fitting, lines, None, sequence if len(fitting) == len(records) else fitting[-1].sequence)
