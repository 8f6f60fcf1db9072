"""The reader against a plain sorted list, on a table that answers queries as DynamoDB does."""

import random
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobtrack import times
from jobtrack.journal import LEVELS, Family, Journal, Record, pack_chunk
from jobtrack.keys import JobKey
from jobtrack.store.reader import EARLIEST, LATEST, JournalReader, Range
from jobtrack.store.snapshots import Snapshot

from .jobs import START, queued

KEY = JobKey("t", "p", "j")


@dataclass
class Table:
    """One partition that answers `query`: BETWEEN, order, Limit and LastEvaluatedKey."""

    items: dict[str, bytes] = field(default_factory=dict)
    queries: int = 0

    def query(self, **asked: Any) -> dict[str, Any]:
        self.queries += 1
        values = asked["ExpressionAttributeValues"]
        low, high = values[":low"]["S"], values[":high"]["S"]
        assert low <= high, "DynamoDB refuses such a range"
        keys = sorted(key for key in self.items if low <= key <= high)
        keys = keys if asked["ScanIndexForward"] else keys[::-1]
        page = keys[: asked["Limit"]]
        answer: dict[str, Any] = {"Items": [{"sk": {"S": key}, "d": {"B": self.items[key]}} for key in page]}
        if len(keys) >= asked["Limit"]:
            answer["LastEvaluatedKey"] = {"sk": {"S": page[-1]}}
        return answer


def write(batches: list[list[Record]]) -> tuple[JournalReader, Table, Snapshot]:
    table, journal, last = Table(), Journal(), 0
    for batch in batches:
        for chunk in journal.append(batch, batch[-1].sequence):
            table.items[chunk.sort_key] = pack_chunk(chunk)
        last = max([last, *(record.sequence for record in batch)])
    job = queued()
    job.sequence = last
    return JournalReader(table, "jobs"), table, Snapshot(KEY, 1, job, journal)  # type: ignore[arg-type]


def expected(records: list[Record], asked: Range) -> tuple[list[Record], bool]:
    held = sorted(filter(asked.holds, records), key=lambda record: record.place)
    page = held[-asked.limit :] if asked.backward else held[: asked.limit]
    return page, len(held) > asked.limit


def workers(pattern: str, count: int, seed: int) -> list[list[Record]]:
    """Lines as workers send them: in order, jittered, late, one at a time, or at any time of a day."""
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
            batch.append(Record(family, START + offset, sequence, [f"{rng.getrandbits(200):x}"]))
        batches.append(batch)
    return batches


@pytest.mark.parametrize("pattern", ["steady", "jittered", "late", "single", "scattered", "equal"])
@pytest.mark.parametrize("backward", [True, False])
@pytest.mark.parametrize("least", [0, 1, 3])
def test_walking_by_cursor_gives_every_line_once_in_order(pattern: str, backward: bool, least: int) -> None:
    batches = workers(pattern, 1500, seed=least)
    reader, _, snapshot = write(batches)
    asked = Range(LEVELS[least:], limit=130, backward=backward)
    everything = sorted(
        (record for batch in batches for record in batch if asked.holds(record)), key=lambda each: each.place
    )
    pages, more = [], True
    while more:
        page, more = reader.page(snapshot, asked)
        assert page == sorted(page, key=lambda record: record.place)
        pages.append(page)
        asked = Range(LEVELS[least:], limit=130, backward=backward, after=(page[0] if backward else page[-1]).place)
    walked = [record for page in (reversed(pages) if backward else pages) for record in page]
    assert walked == everything


moments = st.integers(START - times.HOUR, START + times.DAY)


@settings(max_examples=150, deadline=None)
@given(
    pattern=st.sampled_from(["steady", "jittered", "late", "single", "scattered", "equal"]),
    seed=st.integers(0, 50),
    families=st.sets(st.sampled_from(LEVELS), min_size=1).map(sorted),
    bounds=st.tuples(moments, moments).map(sorted) | st.just([EARLIEST, LATEST]),
    limit=st.integers(1, 700),
    backward=st.booleans(),
    after=st.none() | st.tuples(moments, st.integers(0, 600)),
)
def test_every_page_is_that_of_a_plain_sorted_list(
    pattern: str,
    seed: int,
    families: list[Family],
    bounds: list[int],
    limit: int,
    backward: bool,
    after: tuple[int, int],
) -> None:
    batches = workers(pattern, 600, seed)
    reader, _, snapshot = write(batches)
    asked = Range(families, bounds[0], bounds[1], limit, backward, after)
    assert reader.page(snapshot, asked) == expected([record for batch in batches for record in batch], asked)


def test_what_is_written_after_the_snapshot_is_not_shown_twice_nor_at_all() -> None:
    batches = workers("steady", 300, seed=1)
    _, _, before = write(batches[:3])
    reader, _, _ = write(batches)
    asked = Range(LEVELS, limit=1000)
    page, more = reader.page(before, asked)
    assert (page, more) == expected([record for batch in batches[:3] for record in batch], asked)


def test_ten_errors_among_many_lines_cost_at_most_one_query() -> None:
    batches = workers("steady", 20_000, seed=1)
    lines = [record._replace(family=Family.INFO) for batch in batches for record in batch]
    errors = [lines[index]._replace(family=Family.ERROR) for index in range(1000, 20_000, 2000)]
    lines = [next((error for error in errors if error.sequence == line.sequence), line) for line in lines]
    reader, table, snapshot = write([lines[start : start + 500] for start in range(0, len(lines), 500)])
    page, more = reader.page(snapshot, Range((Family.ERROR,)))
    assert (page, more) == (errors, False)
    assert table.queries <= 1
