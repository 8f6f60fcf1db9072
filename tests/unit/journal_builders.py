"""Journals for tests, and a table with one partition to read them from."""

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from jobtrack import times
from jobtrack.domain.events import Event
from jobtrack.domain.job import Job
from jobtrack.domain.journal import sequence_index
from jobtrack.domain.journal.chunks import pack_chunk
from jobtrack.domain.journal.journal import Journal
from jobtrack.domain.journal.packing import pack
from jobtrack.domain.journal.records import LEVELS, Family, Record
from jobtrack.domain.lifecycle import apply
from jobtrack.keys import JobKey
from jobtrack.store.item_kinds import CHUNK
from jobtrack.store.journal_reader import JournalReader
from jobtrack.store.snapshots import Snapshot
from jobtrack.times import Micros
from tests.unit.job_builders import START, queued, running

KEY = JobKey("t", "p", "j")


@dataclass
class Table:
    """One partition that supports `query` (BETWEEN, order, Limit, LastEvaluatedKey) and `batch_get_item`."""

    items: dict[str, bytes] = field(default_factory=dict)
    queries: int = 0

    def query(self, **asked: Any) -> dict[str, Any]:
        self.queries += 1
        values = asked["ExpressionAttributeValues"]
        low, high = values[":first"]["S"], values[":last"]["S"]
        assert low <= high, "DynamoDB refuses such a range"
        keys = sorted(key for key in self.items if low <= key <= high)
        keys = keys if asked.get("ScanIndexForward", True) else keys[::-1]
        page = keys[: asked["Limit"]]
        answer: dict[str, Any] = {"Items": [self._item(key) for key in page]}
        if len(keys) >= asked["Limit"]:
            answer["LastEvaluatedKey"] = {"sk": {"S": page[-1]}}
        return answer

    def batch_get_item(self, RequestItems: dict[str, Any]) -> dict[str, Any]:
        ((name, request),) = RequestItems.items()
        keys = [key["sk"]["S"] for key in request["Keys"]]
        assert len(set(keys)) == len(keys) <= 100, "DynamoDB refuses such a request"
        now, later = keys[:70], keys[70:]
        answer: dict[str, Any] = {"Responses": {name: [self._item(key) for key in now]}}
        if later:
            answer["UnprocessedKeys"] = {name: {"Keys": [{"sk": {"S": key}} for key in later]}}
        return answer

    def _item(self, key: str) -> dict[str, Any]:
        return {"sk": {"S": key}, **CHUNK.stamp, "d": {"B": self.items[key]}}


def write_journal(batches: list[list[Record]]) -> tuple[JournalReader, Table, Snapshot]:
    table, journal, last = Table(), Journal(), 0
    for batch in batches:
        chunks = journal.append(batch, batch[-1].sequence)
        for chunk in chunks:
            table.items[chunk.sort_key] = pack_chunk(chunk)
        if entries := journal.index.take(busy=bool(chunks)):
            table.items[sequence_index.sort_key(entries[-1].sealed_at)] = pack(sequence_index.dump(entries))
        last = max([last, *(record.sequence for record in batch)])
    job = queued()
    job.sequence = last
    return JournalReader(table, "jobs"), table, Snapshot(KEY, 1, job, journal)  # type: ignore[arg-type]


def log_batches(pattern: str, count: int, seed: int) -> list[list[Record]]:
    """Return lines as workers send them: in order, jittered, late, one at a time, or at any time of a day."""
    rng, batches, sequence = random.Random(seed), [], 0
    size = {"single": 1, "steady": 50}.get(pattern, 20)
    for start in range(0, count, size):
        batch = []
        for index in range(start, start + size):
            sequence += 1
            offset = index * 400_000
            if pattern == "jittered":
                offset += rng.randrange(-30 * times.SECOND, 30 * times.SECOND)
            elif pattern == "late" and rng.random() < 0.1:
                offset -= rng.randrange(times.HOUR)
            elif pattern == "scattered":
                offset = rng.randrange(times.DAY)
            elif pattern == "equal":
                offset = index // 100 * times.SECOND
            family = rng.choices([*LEVELS, Family.EVENT], [20, 60, 10, 2, 8])[0]
            batch.append(Record(family, Micros(START + offset), sequence, [f"{rng.getrandbits(200):x}"]))
        batches.append(batch)
    return batches


def apply_batches(batches: Iterable[Sequence[Event]], job: Job | None = None) -> tuple[JournalReader, Table, Snapshot]:
    """Return the job after the batches of events."""
    job, table, journal = job or running("A", "B"), Table(), Journal()
    for batch in batches:
        _, records = apply(job, batch, max(event.time for event in batch))
        for chunk in journal.append(records, job.sequence):
            table.items[chunk.sort_key] = pack_chunk(chunk)
    return JournalReader(table, "jobs"), table, Snapshot(KEY, 1, job, journal)  # type: ignore[arg-type]


def split_into_batches(events: Sequence[Event], size: int) -> list[Sequence[Event]]:
    """Return batches of a size."""
    return [events[start : start + size] for start in range(0, len(events), size)]


def clock(moment: Micros) -> str:
    """Return a time of the example's day: `10:32:15`."""
    return times.render(moment)[11:-1]
