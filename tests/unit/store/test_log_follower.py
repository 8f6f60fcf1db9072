"""The follower against a plain list by sequence."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobtrack.domain.journal.records import LEVELS, Family, Record
from jobtrack.store.journal_reader import JournalQuery
from jobtrack.store.log_follower import LogFollower
from jobtrack.store.snapshots import Snapshot
from jobtrack.times import Micros
from tests.unit.job_builders import START
from tests.unit.journal_builders import Table, log_batches, write_journal

PATTERNS = ["steady", "jittered", "late", "single", "scattered", "equal"]


def follower(batches: list[list[Record]]) -> tuple[LogFollower, Table, Snapshot]:
    _, table, snapshot = write_journal(batches)
    return LogFollower(table, "jobs"), table, snapshot  # type: ignore[arg-type]


@pytest.mark.parametrize("pattern", PATTERNS)
@pytest.mark.parametrize("least", [0, 2])
@pytest.mark.parametrize("limit", [1, 7, 400])
def test_following_gives_every_line_once_by_sequence_however_it_is_paged(pattern: str, least: int, limit: int) -> None:
    batches = log_batches(pattern, 600 if limit == 1 else 6000, seed=limit)
    following, _, snapshot = follower(batches)
    asked = JournalQuery(LEVELS[least:], limit=limit)
    since, found = 0, list[Record]()
    while since < snapshot.job.sequence:
        page, goes_on = following.read_lines(snapshot, asked, since)
        assert len(page) <= limit
        assert goes_on > since
        found, since = found + page, goes_on
    assert found == [record for batch in batches for record in batch if asked.contains(record)]


@settings(max_examples=60, deadline=None)
@given(
    pattern=st.sampled_from(PATTERNS),
    count=st.integers(20, 3000),
    since=st.integers(0, 3000),
    families=st.sets(st.sampled_from(LEVELS), min_size=1).map(sorted),
    limit=st.integers(1, 2000),
)
def test_a_page_is_the_first_lines_after_a_sequence_and_tells_where_to_go_on(
    pattern: str, count: int, since: int, families: list[Family], limit: int
) -> None:
    batches = log_batches(pattern, count, seed=count)
    following, _, snapshot = follower(batches)
    asked = JournalQuery(families, limit=limit)
    page, goes_on = following.read_lines(snapshot, asked, since)
    after = [record for batch in batches for record in batch if asked.contains(record) and record.sequence > since]
    assert page == after[: len(page)]
    assert all(record.sequence > goes_on for record in after[len(page) :])
    assert goes_on > since or since >= snapshot.job.sequence


def test_lines_that_each_make_a_chunk_are_followed_too() -> None:
    batches, drawn = [], random.Random(1)
    for sequence in range(1, 1500):
        text = "".join(map(chr, drawn.choices(range(0x4E00, 0x9FFF), k=600)))
        batches.append([Record(Family.INFO, Micros(START + sequence), sequence, [text])])
    following, table, snapshot = follower(batches)
    assert len(table.items) > len(batches)
    since, found = 0, list[Record]()
    while since < snapshot.job.sequence:
        page, since = following.read_lines(snapshot, JournalQuery(LEVELS, limit=1000), since)
        found += page
    assert [record.sequence for record in found] == list(range(1, 1500))


def test_near_the_head_only_the_chunks_are_read() -> None:
    batches = log_batches("steady", 20_000, seed=1)
    following, table, snapshot = follower(batches)
    before = table.queries
    page, goes_on = following.read_lines(snapshot, JournalQuery(LEVELS), snapshot.job.sequence - 50)
    assert (goes_on, table.queries - before) == (snapshot.job.sequence, 0)
    assert len(page) >= 40
