"""Follows a job's log: reads the lines after a sequence number, in the order of their sequence numbers.

The index by sequence says which chunks may hold the next lines. A line is sealed into a chunk at most `RESIDENCE`
sequence numbers after its own. So the entries up to the one sealed at `n` cover every line up to `n - RESIDENCE`. A
follower that is almost up to date finds the entries in the snapshot, and reads only the chunks.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from jobtrack.domain.journal import sequence_index
from jobtrack.domain.journal.chunks import sort_key, unpack_chunk
from jobtrack.domain.journal.packing import unpack
from jobtrack.domain.journal.records import Record
from jobtrack.domain.journal.sequence_index import RESIDENCE, Entry
from jobtrack.store.batch_reads import MAX_KEYS, read_items
from jobtrack.store.item_kinds import CHUNK, SEQUENCE_INDEX
from jobtrack.store.journal_reader import JournalQuery
from jobtrack.store.key_conditions import between
from jobtrack.store.snapshots import Snapshot

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

_INDEX_ITEMS = 40
"""Index items that are read at once: usually enough for a page, unless most lines have other severities."""


class LogFollower(Struct, eq=False):
    """Reads log lines from the jobs table by sequence number."""

    dynamodb: "DynamoDBClient"
    table: str

    def read_lines(self, snapshot: Snapshot, query: JournalQuery, since: int) -> tuple[list[Record], int]:
        """Return the lines of the query after `since`, at most `limit`, and the sequence number to continue from.

        The sequence number is the job's last one if no line of the query follows.
        """
        entries, covered = self._read_entries(snapshot, since)
        unread = sorted(
            (entry for entry in entries if entry.last > since and entry.kind[0] in query.families),
            key=lambda entry: entry.first,
        )
        records = {record.sequence: record for record in snapshot.journal.tail if record.family in query.families}
        while unread:
            complete = _between(records, query, since, min(covered, unread[0].first - 1))
            if len(complete) > query.limit:
                break
            next_entries = _entries_for(unread, query.limit - len(complete))
            unread = unread[len(next_entries) :]
            records |= {record.sequence: record for record in self._read_chunks(snapshot, next_entries)}
        covered = max(since, min([covered, *(entry.first - 1 for entry in unread[:1])]))
        page = _between(records, query, since, covered)
        return (page[: query.limit], page[query.limit - 1].sequence) if len(page) > query.limit else (page, covered)

    def _read_entries(self, snapshot: Snapshot, since: int) -> tuple[list[Entry], int]:
        """Return the chunks sealed after `since`, and the sequence number up to which they cover every line."""
        index = snapshot.journal.index
        entries: list[Entry] = []
        read_to = since
        while read_to < index.moved_to:
            items = self._read_moved_out(snapshot, read_to)
            rows = (unpack(SEQUENCE_INDEX.check(item)["d"]["B"], list[sequence_index.Row]) for item in items)
            entries += [entry for item_rows in rows for entry in sequence_index.load(item_rows)]
            read_to = entries[-1].sealed_at if items else index.moved_to
            if since < read_to - RESIDENCE and read_to < index.moved_to:
                return entries, read_to - RESIDENCE
        return [*entries, *index.entries], snapshot.job.sequence

    def _read_moved_out(self, snapshot: Snapshot, since: int) -> Sequence[Any]:
        return self.dynamodb.query(
            TableName=self.table,
            ConsistentRead=True,
            **between(
                snapshot.key.partition,
                sequence_index.sort_key(since + 1),
                sequence_index.sort_key(snapshot.journal.index.moved_to),
            ),
            Limit=_INDEX_ITEMS,
        )["Items"]

    def _read_chunks(self, snapshot: Snapshot, entries: Sequence[Entry]) -> list[Record]:
        keys = [snapshot.key.item_key(sort_key(entry.kind, entry.time, entry.first)) for entry in entries]
        items = read_items(self.dynamodb, self.table, keys)
        chunks = (unpack_chunk(item["sk"]["S"][1:3], CHUNK.check(item)["d"]["B"]) for item in items)
        return [record for chunk in chunks for record in chunk]


def _between(records: Mapping[int, Record], query: JournalQuery, since: int, last: int) -> list[Record]:
    """Return the records of the query after `since` up to `last`, in order."""
    return [
        records[sequence]
        for sequence in sorted(records)
        if since < sequence <= last and query.contains(records[sequence])
    ]


def _entries_for(entries: Sequence[Entry], lines: int) -> Sequence[Entry]:
    """Return the first chunks that have more than that many lines together; at least one."""
    count, total = 0, 0
    while count < min(len(entries), MAX_KEYS) and total <= lines:
        total += entries[count].lines
        count += 1
    return entries[:count]
