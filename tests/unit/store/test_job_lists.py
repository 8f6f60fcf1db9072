"""Listing a project's jobs, newest first, while they change, and with an index that lags."""

import random
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobtrack import limits
from jobtrack.domain.events import Event
from jobtrack.domain.job import PRIORITIES, Job, JobStatus, Priority, Stage
from jobtrack.domain.job_queue import QueuedJob, RunningJob
from jobtrack.domain.lifecycle import apply
from jobtrack.store import status_index
from jobtrack.store.job_lists import JobFilter, JobLister
from jobtrack.store.snapshots import Snapshot
from jobtrack.store.status_index import Place
from jobtrack.times import Micros
from jobtrack.views.page_size import take_fitting
from tests.unit.job_builders import START, queued, running
from tests.unit.memory_status_index import OWNER, Table, change_jobs, job_id, new_job

KEY = OWNER.job_key(queued().job_id)


def project(rng: random.Random, count: int, table: Table) -> list[str]:
    """Jobs of every status, several created at the same time; newest first."""
    for number in range(count):
        job = new_job(number, START + rng.randrange(count), priority=rng.choice(PRIORITIES))
        moves = rng.choice(((), ("jobStarted",), ("jobStarted", "jobCompleted"), ("jobFailed",), ("jobCancelled",)))
        apply(job, [Event(move, START, {}) for move in moves], START)
        table.put(job)
    return [
        job.job_id for job in sorted(table.jobs.values(), key=lambda job: (job.created_at, job.job_id), reverse=True)
    ]


def walk(table: Table, wanted: JobFilter, limit: int) -> Iterator[Snapshot]:
    lister, after, more = JobLister(table, "jobs"), None, True  # type: ignore[arg-type]
    while more:
        page, after = lister.read_page(OWNER, wanted, limit, after)
        assert len(page) <= limit
        yield from page
        more = after is not None


@settings(deadline=None)
@given(st.integers(0, 40), st.integers(1, 15), st.integers(0, 12), st.integers(0, 3), st.integers())
def test_a_walk_gives_every_job_acknowledged_before_it_exactly_once_though_they_move(
    count: int, limit: int, lag: int, moves: int, seed: int
) -> None:
    rng, table = random.Random(seed), Table(lag=lag)
    first = project(rng, count, table)
    for _ in range(lag):  # the age at which an acknowledged write is in the index
        table.step()
    life = change_jobs(table, rng, moves)

    def between() -> None:
        while next(life):
            pass

    table.between = between
    found = [each.job.job_id for each in walk(table, JobFilter(), limit)]
    assert len(set(found)) == len(found)
    assert [each for each in found if each in first] == first


@given(
    st.integers(0, 40),
    st.integers(1, 15),
    st.sets(st.sampled_from(list(JobStatus)), min_size=1),
    st.integers(0, 40),
    st.integers(0, 40),
    st.integers(),
)
def test_filters_by_status_and_time(
    count: int, limit: int, statuses: set[JobStatus], first: int, last: int, seed: int
) -> None:
    table = Table()
    order = project(random.Random(seed), count, table)
    wanted = JobFilter([each for each in JobStatus if each in statuses], first=START + first, last=START + last)
    found = [each.job.job_id for each in walk(table, wanted, limit)]
    assert found == [each for each in order if wanted.matches(table.jobs[each])]


@pytest.mark.parametrize("limit", [1, 3, 150])
def test_filters_that_only_the_jobs_themselves_can_answer(limit: int) -> None:
    table = Table()
    for number in range(700):
        table.put(new_job(number, START + number, submitted_by="rare" if number % 230 == 0 else "usual"))
    found = list(walk(table, JobFilter(submitted_by="rare"), limit))
    assert [each.job.job_id for each in found] == [job_id(number) for number in (690, 460, 230, 0)]


def test_a_page_ends_before_it_has_read_a_whole_project_for_one_job() -> None:
    table = Table()
    for number in range(1200):
        table.put(new_job(number, START + number, submitted_by="first" if number == 0 else "others"))
    lister = JobLister(table, "jobs")  # type: ignore[arg-type]
    page, after = lister.read_page(OWNER, JobFilter(submitted_by="first"), 50)
    assert page == []
    assert after == Place(Micros(START + 700), job_id(700))
    assert table.requests.count("batch") == 5
    assert len(list(walk(table, JobFilter(submitted_by="first"), 50))) == 1


def test_a_job_that_moved_since_the_index_was_read_is_shown_as_it_is_or_not_at_all() -> None:
    table = Table(lag=1)
    table.put(new_job(1, START))
    table.step()
    job = table.jobs[job_id(1)]
    apply(job, [Event("jobStarted", START, {})], START)
    table.put(job)
    assert [each.job.status for each in walk(table, JobFilter(), 5)] == [JobStatus.RUNNING]
    assert list(walk(Table(1, items=table.items, history=table.history), JobFilter([JobStatus.QUEUED]), 5)) == []


@pytest.mark.parametrize(("count", "most", "requests"), [(100, 100, 1), (101, 100, 2), (100, 30, 4), (0, 100, 0)])
def test_jobs_are_read_by_id_a_hundred_at_once_and_what_was_put_off_again(count: int, most: int, requests: int) -> None:
    table = Table(most_keys=most)
    ids = [job_id(number) for number in range(count)]
    for number in range(0, count, 2):
        table.put(new_job(number, START))
    found = JobLister(table, "jobs").read_snapshots(OWNER, ids)  # type: ignore[arg-type]
    assert list(found) == ids[::2]
    assert table.requests == ["batch"] * requests


CORES = st.one_of(st.none(), st.floats(0.001, limits.ALLOCATED))
SECONDS = st.one_of(st.none(), st.floats(0, 10**9))


@given(st.sampled_from(PRIORITIES), SECONDS, CORES)
def test_a_place_tells_what_the_queue_needs_to_know(
    priority: Priority, seconds: float | None, cores: float | None
) -> None:
    job = queued(Stage("A", expected_seconds=seconds), priority=priority)
    at_first = status_index.index_key(KEY, job)
    assert at_first[0].endswith("#Queued#0")
    whole = None if seconds is None else round(seconds)
    assert (
        status_index.parse_queued_job(at_first[1]) == QueuedJob.of(job) == QueuedJob(job.job_id, priority, START, whole)
    )
    start(job, cores)
    assert status_index.parse_running_job(status_index.index_key(KEY, job)[1]) == RunningJob.of(job)
    assert RunningJob.of(job) == RunningJob(
        job.job_id, None if cores is None else round(cores, 3), None if whole is None else Micros(START + whole * 10**6)
    )


def test_further_fields_of_a_later_release_are_ignored() -> None:
    waiting, busy = queued(Stage("A", expected_seconds=9)), running(Stage("A", expected_seconds=9))
    later = f"{status_index.index_key(KEY, waiting)[1]}#more"
    assert status_index.parse_queued_job(later) == QueuedJob.of(waiting)
    assert status_index.parse_place(later, JobStatus.QUEUED) == Place.of(waiting)
    later = f"{status_index.index_key(KEY, busy)[1]}#more"
    assert status_index.parse_running_job(later) == RunningJob.of(busy)
    assert status_index.parse_place(later, JobStatus.RUNNING) == Place.of(busy)


def start(job: Job, cores: float | None) -> None:
    data: dict[str, Any] = {} if cores is None else {"resourcesAllocated": {"cpuUnits": cores}}
    apply(job, [Event("jobStarted", START, data)], START)


def test_a_place_does_not_change_while_a_job_reports() -> None:
    job = running(Stage("A", expected_seconds=100))
    place = status_index.index_key(KEY, job)
    for second in range(1, 50):
        apply(
            job,
            [Event("progressUpdate", Micros(START + second * 10**6), {"stageName": "A", "progress": second})],
            START,
        )
        assert status_index.index_key(KEY, job) == place
    apply(job, [Event("jobCompleted", Micros(START + 60 * 10**6), {})], START)
    assert status_index.parse_place(status_index.index_key(KEY, job)[1], job.status) == Place(START, job.job_id)


def test_a_page_ends_before_lambdas_answer_would_grow_too_large() -> None:
    entry = {"metadata": '"' * 100_000}
    kept = take_fitting([entry] * 100)
    assert 0 < len(kept) < 100
    assert len(kept) * 400_000 < limits.ANSWER_BYTES
    assert take_fitting([{"metadata": "x" * 10**7}]) != []
