"""When queued jobs are expected to start, and the load of the workers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobtrack import times
from jobtrack.domain.estimate import planned_seconds, total_seconds
from jobtrack.domain.events import Event
from jobtrack.domain.job import PRIORITIES, Job, Priority, Stage
from jobtrack.domain.lifecycle import apply
from jobtrack.domain.past_durations import PastDurations
from jobtrack.domain.queue_forecast import (
    JobQueue,
    QueuedJob,
    RunningJob,
    Turn,
    Worker,
    expected_waits,
    queue_health,
)
from jobtrack.times import Micros
from tests.unit.job_builders import START, queued

MINUTE = times.MINUTE


def workers(*slots: int, cores: float = 4) -> list[Worker]:
    return [Worker(f"node-{place}", cores, count) for place, count in enumerate(slots)]


def waiting(job: str, seconds: int | None, priority: Priority = "Normal", created_at: int = START) -> QueuedJob:
    return QueuedJob(job, priority, Micros(created_at), seconds)


def running(job: str, minutes: int | None, cores: float | None = 1) -> RunningJob:
    return RunningJob(job, cores, None if minutes is None else Micros(START + minutes * MINUTE))


def turns(queue: JobQueue) -> dict[str, tuple[int, int | None, int | None]]:
    """Positions, and minutes from START."""

    def minutes(moment: int | None) -> int | None:
        return None if moment is None else (moment - START) // MINUTE

    return {job: (turn.position, minutes(turn.start), minutes(turn.end)) for job, turn in queue.turns().items()}


def test_who_finds_a_free_slot_starts_now_and_the_next_when_one_is_given_back() -> None:
    line = [waiting("a", 600), waiting("b", 300), waiting("c", 60)]
    queue = JobQueue.from_lists(START, workers(1, 2), line, [running("r", 3)])
    assert turns(queue) == {"a": (1, 0, 10), "b": (2, 0, 5), "c": (3, 3, 4)}


def test_the_queue_goes_by_priority_then_by_submission() -> None:
    line = [
        waiting("low", 60, "Low", START - 9),
        waiting("later", 60, "High", START - 2),
        waiting("normal", 60, "Normal", START - 8),
        waiting("sooner", 60, "High", START - 3),
        waiting("critical", 60, "Critical", START - 1),
    ]
    queue = JobQueue.from_lists(START, workers(1), line, [])
    assert list(queue.turns()) == ["critical", "sooner", "later", "normal", "low"]
    assert [turn[1] for turn in turns(queue).values()] == [0, 1, 2, 3, 4]


def test_a_job_that_runs_longer_than_expected_may_end_any_moment() -> None:
    queue = JobQueue.from_lists(START, workers(1), [waiting("a", 60)], [running("r", -5)])
    assert turns(queue) == {"a": (1, 0, 1)}


def test_what_is_not_known_is_not_made_up() -> None:
    line = [waiting("a", None), waiting("b", 60), waiting("c", 60)]
    queue = JobQueue.from_lists(START, workers(2), line, [running("r", None)])
    assert turns(queue) == {"a": (1, 0, None), "b": (2, None, None), "c": (3, None, None)}


def test_without_a_live_worker_nothing_is_expected_to_start() -> None:
    queue = JobQueue.from_lists(START, [], [waiting("a", 60)], [running("r", 1)])
    assert turns(queue) == {"a": (1, None, None)}
    assert (queue.core_load, queue.slot_load, queue.availability, queue.free_slots) == (None, None, None, 0)


def test_while_more_jobs_run_than_there_are_slots_one_that_ends_frees_none() -> None:
    queue = JobQueue.from_lists(
        START, workers(1), [waiting("a", 60)], [running("r", 1), running("s", 2), running("t", 3)]
    )
    assert turns(queue) == {"a": (1, 3, 4)}
    assert (queue.slot_load, queue.free_slots) == (300, 0)


def test_a_job_found_waiting_and_then_running_has_started() -> None:
    queue = JobQueue.from_lists(START, workers(2), [waiting("a", 60), waiting("b", 60)], [running("a", 5)])
    assert (list(queue.turns()), len(queue.running)) == (["b"], 1)


def test_what_was_read_of_a_job_itself_counts_more_than_the_index() -> None:
    queue = JobQueue.from_lists(
        START, workers(2), [waiting("a", 60), waiting("b", 60)], [running("r", 5), running("s", 5)]
    )
    better = queue.corrected([waiting("r", 120, "High")], [running("a", 7)], ["s"])
    assert turns(better) == {"r": (1, 0, 2), "b": (2, 2, 3)}
    assert [each.job for each in better.running] == ["a"]


def test_an_end_beyond_every_date_is_unknown() -> None:
    ages = 900 * 365 * 24 * 3600
    queue = JobQueue.from_lists(START, workers(1), [waiting(f"{place:02}", ages) for place in range(12)], [])
    last = list(queue.turns().values())[-1]
    assert last == Turn(12, None, None)
    assert all(times.render(turn.end) for turn in queue.turns().values() if turn.end is not None)


@pytest.mark.parametrize(
    ("cores", "load", "availability"),
    [
        ([2, 5.5], 94, "Low"),
        ([3.95], 49, "High"),
        ([4], 50, "Medium"),
        ([6.76, None], 84, "Medium"),
        ([6.8], 85, "Low"),
    ],
)
def test_the_load_is_cores_of_running_jobs_over_those_of_live_workers(
    cores: list[float | None], load: int, availability: str
) -> None:
    jobs = [running(str(place), None, count) for place, count in enumerate(cores)]
    queue = JobQueue.from_lists(START, workers(1, 1), [], jobs)
    assert (queue.core_load, queue.availability) == (load, availability)


@pytest.mark.parametrize(
    ("minutes", "expected"),
    [([], "Good"), ([15], "Good"), ([16, 1], "Degraded"), ([60], "Degraded"), ([61], "Critical")],
)
def test_the_health_is_that_of_the_longest_wait(minutes: list[int], expected: str) -> None:
    found = [Turn(1, Micros(START + each * MINUTE), None) for each in minutes] + [Turn(2, None, None)]
    assert queue_health(expected_waits(JobQueue(START, [], [], []), found)) == expected


LENGTHS = st.one_of(st.none(), st.integers(0, 4000))
LINES = st.lists(st.tuples(st.sampled_from(PRIORITIES), st.integers(0, 5), LENGTHS), max_size=30)
ENDS = st.lists(st.one_of(st.none(), st.integers(-3600, 7200)), max_size=12)


@given(LINES, ENDS, st.lists(st.integers(0, 4), max_size=4))
def test_starts_are_in_order_never_before_now_and_never_more_run_than_there_are_slots(
    line: list[tuple[Priority, int, int | None]], ends: list[int | None], slots: list[int]
) -> None:
    jobs = [waiting(f"{place:02}", seconds, rank, START + moment) for place, (rank, moment, seconds) in enumerate(line)]
    busy = [
        RunningJob(f"r{place}", 1, None if end is None else Micros(START + end * times.SECOND))
        for place, end in enumerate(ends)
    ]
    queue = JobQueue.from_lists(Micros(START + 1), workers(*slots), jobs, busy)
    found = queue.turns()
    assert [found[each.job].position for each in queue.queued] == list(range(1, len(jobs) + 1))
    assert [(PRIORITIES.index(each.priority), each.created_at) for each in queue.queued] == sorted(
        (PRIORITIES.index(each.priority), each.created_at) for each in jobs
    )
    starts = [turn.start for turn in found.values()]
    known = [start for start in starts if start is not None]
    assert starts[: len(known)] == known == sorted(known), "who comes later starts no sooner"
    assert all(start >= queue.now for start in known)
    forever = queue.now + 10**15
    spans = [(queue.now, max(queue.now, forever if each.end is None else each.end)) for each in busy]
    spans += [
        (turn.start, forever if turn.end is None else turn.end) for turn in found.values() if turn.start is not None
    ]
    for start in known:
        assert sum(begin <= start < end for begin, end in spans) <= max(sum(slots), 0)
    if len(known) < len(jobs):
        assert sum(end == forever for _, end in spans) >= sum(slots), "a slot would have been free"


PLANS = st.lists(st.one_of(st.none(), st.floats(0, 10_000)), max_size=5)


@given(PLANS, st.lists(st.floats(1, 10_000), max_size=20))
def test_a_queued_job_is_expected_to_take_what_the_estimate_says_when_it_starts(
    plan: list[float | None], past: list[float]
) -> None:
    job = queued(*(Stage(f"stage {place}", expected_seconds=seconds) for place, seconds in enumerate(plan)))
    taught(job, past)
    planned = planned_seconds(job)
    apply(job, [Event("jobStarted", START, {})], START)
    assert planned == total_seconds(job, START)


def taught(job: Job, seconds: list[float]) -> None:
    if seconds:
        spread = sorted(seconds) if len(seconds) > 1 else [*seconds, *seconds]
        job.past = PastDurations(len(seconds), sum(seconds) / len(seconds), None, spread)
