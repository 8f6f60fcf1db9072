"""The reader against a plain sorted list, on a table with DynamoDB's queries."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobtrack import times
from jobtrack.domain.journal.records import LEVELS, Family, Record
from jobtrack.store.journal_reader import JournalQuery
from tests.unit.job_builders import START
from tests.unit.journal_builders import log_batches, write_journal


def expected(records: list[Record], asked: JournalQuery) -> tuple[list[Record], bool]:
    held = sorted(filter(asked.contains, records), key=lambda record: record.place)
    page = held[-asked.limit :] if asked.backward else held[: asked.limit]
    return page, len(held) > asked.limit


@pytest.mark.parametrize("pattern", ["steady", "jittered", "late", "single", "scattered", "equal"])
@pytest.mark.parametrize("backward", [True, False])
@pytest.mark.parametrize("least", [0, 1, 3])
def test_walking_by_cursor_gives_every_line_once_in_order(pattern: str, backward: bool, least: int) -> None:
    batches = log_batches(pattern, 1500, seed=least)
    reader, _, snapshot = write_journal(batches)
    asked = JournalQuery(LEVELS[least:], limit=130, backward=backward)
    everything = sorted(
        (record for batch in batches for record in batch if asked.contains(record)), key=lambda each: each.place
    )
    pages, more = [], True
    while more:
        page, more = reader.read_page(snapshot, asked)
        assert page == sorted(page, key=lambda record: record.place)
        pages.append(page)
        asked = JournalQuery(
            LEVELS[least:], limit=130, backward=backward, after=(page[0] if backward else page[-1]).place
        )
    walked = [record for page in (reversed(pages) if backward else pages) for record in page]
    assert walked == everything


moments = st.integers(START - times.HOUR, START + times.DAY)


@settings(max_examples=150, deadline=None)
@given(
    pattern=st.sampled_from(["steady", "jittered", "late", "single", "scattered", "equal"]),
    seed=st.integers(0, 50),
    families=st.sets(st.sampled_from(LEVELS), min_size=1).map(sorted),
    bounds=st.tuples(moments, moments).map(sorted) | st.just([times.EARLIEST, times.LATEST]),
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
    batches = log_batches(pattern, 600, seed)
    reader, _, snapshot = write_journal(batches)
    asked = JournalQuery(families, bounds[0], bounds[1], limit, backward, after)
    assert reader.read_page(snapshot, asked) == expected([record for batch in batches for record in batch], asked)


def test_what_is_written_after_the_snapshot_is_not_shown_twice_nor_at_all() -> None:
    batches = log_batches("steady", 300, seed=1)
    _, _, before = write_journal(batches[:3])
    reader, _, _ = write_journal(batches)
    asked = JournalQuery(LEVELS, limit=1000)
    page, more = reader.read_page(before, asked)
    assert (page, more) == expected([record for batch in batches[:3] for record in batch], asked)


def test_ten_errors_among_many_lines_cost_at_most_one_query() -> None:
    batches = log_batches("steady", 20_000, seed=1)
    lines = [record._replace(family=Family.INFO) for batch in batches for record in batch]
    errors = [lines[index]._replace(family=Family.ERROR) for index in range(1000, 20_000, 2000)]
    lines = [next((error for error in errors if error.sequence == line.sequence), line) for line in lines]
    reader, table, snapshot = write_journal([lines[start : start + 500] for start in range(0, len(lines), 500)])
    page, more = reader.read_page(snapshot, JournalQuery((Family.ERROR,)))
    assert (page, more) == (errors, False)
    assert table.queries <= 1
