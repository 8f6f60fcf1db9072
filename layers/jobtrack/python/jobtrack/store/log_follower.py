"""Following a job: its log lines in the order of their sequences, from one sequence on.

The index by sequence tells which chunks can hold the next lines. Of entries read up to the one sealed at `n`, every
line up to `n - RESIDENCE` is known: a line is never sealed later than that. A follower that is near the head finds the
entries in the snapshot and reads only the chunks.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from jobtrack.domain.journal import sequence_index
from jobtrack.domain.journal.journal import Record, sort_key, unpack_chunk
from jobtrack.domain.journal.packing import unpack
from jobtrack.domain.journal.sequence_index import RESIDENCE, Entry
from jobtrack.store.batch_reads import read_items
from jobtrack.store.journal_reader import Range
from jobtrack.store.key_conditions import between
from jobtrack.store.snapshots import Snapshot

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

_INDEX_ITEMS = 40
"""Items of entries read at once: they tell of more lines than a page holds, unless most are of other severities."""
_CHUNKS = 100
"""What DynamoDB takes in one BatchGetItem."""


class LogFollower(Struct, eq=False):
    """Reads the jobs table's journals by sequence."""

    dynamodb: "DynamoDBClient"
    table: str

    def read_lines(self, snapshot: Snapshot, asked: Range, since: int) -> tuple[list[Record], int]:
        """At most as many of the lines asked for after `since` as the range says, by sequence, and where to go on.

        That is the job's own sequence where nothing is missing up to it: a follower passes what it does not see.
        """
        entries, known = self._read_entries(snapshot, since)
        waiting = sorted(
            (each for each in entries if each.last > since and each.kind[0] in asked.families),
            key=lambda each: each.first,
        )
        found = {record.sequence: record for record in snapshot.journal.tail if record.family in asked.families}
        while waiting:
            held = _between(found, asked, since, min(known, waiting[0].first - 1))
            if len(held) > asked.limit:
                break
            taken = _holding(waiting, asked.limit - len(held))
            waiting = waiting[len(taken) :]
            found |= {record.sequence: record for record in self._read_chunks(snapshot, taken)}
        known = max(since, min([known, *(each.first - 1 for each in waiting[:1])]))
        page = _between(found, asked, since, known)
        return (page[: asked.limit], page[asked.limit - 1].sequence) if len(page) > asked.limit else (page, known)

    def _read_entries(self, snapshot: Snapshot, since: int) -> tuple[list[Entry], int]:
        """The chunks sealed after `since`, and up to which sequence they tell everything: further than `since`."""
        index = snapshot.journal.index
        entries: list[Entry] = []
        read_to = since
        while read_to < index.moved_to:
            items = self._read_moved_out(snapshot, read_to)
            rows = (unpack(item["d"]["B"], list[sequence_index.Row]) for item in items)
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
        keys = [
            {"pk": {"S": snapshot.key.partition}, "sk": {"S": sort_key(each.kind, each.time, each.first)}}
            for each in entries
        ]
        found = read_items(self.dynamodb, self.table, keys)
        return [record for item in found for record in unpack_chunk(item["sk"]["S"][1:3], item["d"]["B"])]


def _between(found: Mapping[int, Record], asked: Range, since: int, last: int) -> list[Record]:
    """The lines asked for after `since`, up to `last`, by sequence."""
    return [found[each] for each in sorted(found) if since < each <= last and asked.holds(found[each])]


def _holding(entries: Sequence[Entry], lines: int) -> Sequence[Entry]:
    """The first of the chunks, so many as hold the lines, if all of theirs are asked for; at least one."""
    count, held = 0, 0
    while count < min(len(entries), _CHUNKS) and held <= lines:
        held += entries[count].lines
        count += 1
    return entries[:count]
