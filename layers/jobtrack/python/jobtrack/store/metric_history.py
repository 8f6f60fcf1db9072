"""Reads the history of a job's metrics."""

from collections.abc import Sequence

from msgspec import Struct

from jobtrack.domain.journal.metric_history import Bucket, buckets
from jobtrack.domain.journal.metric_minutes import open_minute
from jobtrack.domain.journal.records import Family
from jobtrack.store.journal_reader import JournalQuery, JournalReader, with_records
from jobtrack.store.snapshots import Snapshot


class MetricHistoryReader(Struct, frozen=True):
    """Reads the aggregates of minutes from the jobs table: usually one query, more if late samples split minutes."""

    journals: JournalReader

    def read_newest_buckets(self, snapshot: Snapshot, minutes: int, most: int) -> Sequence[Bucket]:
        """Return the newest buckets of `minutes` minutes each, in order, at most `most`."""
        whole = with_records(snapshot, open_minute(snapshot.job))
        limit = (most + 1) * minutes
        while True:
            records, more = self.journals.read_page(whole, JournalQuery((Family.METRIC_MINUTE,), limit=limit))
            newest = buckets(records, minutes)
            if more:  # the oldest bucket may be incomplete
                newest = newest[1:]
            if not more or len(newest) >= most:
                return newest[-most:]
            limit *= 4
