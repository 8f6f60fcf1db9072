"""Reading the history of a job's metrics."""

from collections.abc import Sequence

from msgspec import Struct

from jobtrack.domain.journal.journal import Family
from jobtrack.domain.journal.metric_history import Bucket, buckets
from jobtrack.domain.journal.metric_minutes import open_minute
from jobtrack.store.journal_reader import JournalReader, Range, joined
from jobtrack.store.snapshots import Snapshot


class MetricHistoryReader(Struct, frozen=True):
    """Reads the minutes' rollups from the jobs table: one query, more only where late samples made many of a minute."""

    journals: JournalReader

    def read_newest_buckets(self, snapshot: Snapshot, minutes: int, most: int) -> Sequence[Bucket]:
        """The newest buckets of so many minutes, in order, at most `most`."""
        whole = joined(snapshot, open_minute(snapshot.job))
        limit = (most + 1) * minutes
        while True:
            records, more = self.journals.read_page(whole, Range((Family.METRIC_MINUTE,), limit=limit))
            found = buckets(records, minutes)
            if more:  # The oldest may have begun before the page.
                found = found[1:]
            if not more or len(found) >= most:
                return found[-most:]
            limit *= 4
