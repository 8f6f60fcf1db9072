"""When queued jobs are expected to start, and the load of the workers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobtrack import times
from jobtrack.domain.estimate import planned_seconds, total_seconds
from jobtrack.domain.events import Event
from jobtrack.domain.job import PRIORITIES, Job, Priority, Stage
from jobtrack.domain.job_queue import JobQueue, QueuedJob, Rest, RunningJob, Worker
from jobtrack.domain.later_turns import FreeSlots, LaterTurns, Period
from jobtrack.domain.lifecycle import apply
from jobtrack.domain.open_jobs import OpenJobs, QueuedSum
from jobtrack.domain.past_durations import PastDurations
from jobtrack.domain.queue_forecast import Forecast, Turn, forecast_queue
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

    found = forecast_queue(queue).turns
    return {job: (turn.position, minutes(turn.start), minutes(turn.end)) for job, turn in found.items()}


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
    assert list(forecast_queue(queue).turns) == ["critical", "sooner", "later", "normal", "low"]
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
    assert (list(forecast_queue(queue).turns), len(queue.running)) == (["b"], 1)


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
    last = list(forecast_queue(queue).turns.values())[-1]
    assert last == Turn(12, None, None)
    assert all(times.render(turn.end) for turn in forecast_queue(queue).turns.values() if turn.end is not None)


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
    assert Forecast(START, {str(place): turn for place, turn in enumerate(found)}, None).health() == expected


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
    found = forecast_queue(queue).turns
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


def sums_of(jobs: list[QueuedJob]) -> list[QueuedSum]:
    """Return what the counters hold of queued jobs."""
    by_rank = [[job.seconds for job in jobs if PRIORITIES.index(job.priority) == rank] for rank in range(4)]
    return [
        QueuedSum(len(all_seconds), sum(each or 0 for each in all_seconds), all_seconds.count(None))
        for all_seconds in by_rank
    ]


def shortened(queue: JobQueue, first: int) -> JobQueue:
    """Return the queue as it is known if only its first jobs are read, and their successors are in the sums."""
    read, later = list(queue.queued[:first]), queue.queued[first:]
    periods = {}
    for rank in range(4):
        created = [job.created_at for job in later if job.rank == rank]
        if created:
            periods[rank] = Period(min(created), max(created))
    rest = Rest.of(OpenJobs(sums_of(list(queue.queued))), read, None)
    return JobQueue(queue.now, queue.workers, queue.running, read, rest).with_periods(periods)


KNOWN = st.lists(st.tuples(st.sampled_from(PRIORITIES), st.integers(0, 500), st.integers(0, 4000)), max_size=30)


@given(KNOWN, st.lists(st.integers(0, 7200), max_size=8), st.integers(1, 5), st.integers(0, 30))
def test_by_the_sums_a_job_starts_at_most_one_duration_later_than_by_the_jobs(
    line: list[tuple[Priority, int, int]], ends: list[int], slots: int, first: int
) -> None:
    jobs = [waiting(f"{place:02}", seconds, rank, START + moment) for place, (rank, moment, seconds) in enumerate(line)]
    busy = [RunningJob(f"r{place}", 1, Micros(START + end * times.SECOND)) for place, end in enumerate(ends)]
    queue = JobQueue.from_lists(START, workers(slots), jobs, busy)
    whole, short = forecast_queue(queue), forecast_queue(shortened(queue, first))
    for place, job in enumerate(queue.queued):
        if place < first:
            assert short.turns[job.job] == whole.turns[job.job]
        elif short.later is not None:
            exact = whole.turns[job.job].start
            assert exact is not None
            ahead = queue.queued[first:place]
            by_sums = short.later.slots.seconds_until_free(sum(each.seconds or 0 for each in ahead), 0)
            assert by_sums is not None
            late = by_sums - (exact - START) / times.SECOND
            assert -1e-6 <= late <= max((each.seconds or 0 for each in ahead), default=0) + 1e-6


@given(LINES, st.integers(0, 30))
def test_later_positions_are_in_the_range_of_their_priority_and_in_the_order_of_creation(
    line: list[tuple[Priority, int, int | None]], first: int
) -> None:
    jobs = [waiting(f"{place:02}", seconds, rank, START + moment) for place, (rank, moment, seconds) in enumerate(line)]
    queue = JobQueue.from_lists(START, workers(1), jobs, [])
    short = shortened(queue, first)
    assert list(short.queued_jobs) == [sum(job.rank == rank for job in jobs) for rank in range(4)]
    later = forecast_queue(short).later
    found = [later.position(job.rank, job.created_at) for job in queue.queued[first:]] if later else []
    assert found == sorted(found)
    positions = list(enumerate(queue.queued, 1))
    for position, job in zip(found, queue.queued[first:], strict=True):
        same = [place for place, each in positions if each.rank == job.rank and place > first]
        assert min(same) <= position <= max(same)


def test_jobs_that_came_at_an_even_rate_have_their_exact_turns_without_being_read() -> None:
    line = [waiting(f"{place:04}", 60, "Normal", START - 10**6 + place) for place in range(3000)]
    queue = JobQueue.from_lists(START, workers(10), line, [])
    whole, short = forecast_queue(queue), forecast_queue(shortened(queue, 1000))
    job = queued(Stage("A", expected_seconds=60))
    for place in (1000, 1500, 2222, 2999):
        job.job_id, job.created_at = line[place].job, line[place].created_at
        exact, found = whole.turns[job.job_id], short.turn_of(job)
        assert exact.start is not None
        assert found.start is not None
        assert abs(found.position - exact.position) <= 1
        assert abs(found.start - exact.start) <= MINUTE
    whole_wait, short_wait = whole.mean_wait(), short.mean_wait()
    assert whole_wait is not None
    assert short_wait is not None
    assert abs(short_wait / whole_wait - 1) < 0.01
    assert abs(short.longest_wait() - whole.longest_wait()) <= 60
    assert abs((short.remaining_seconds() or 0) - (whole.remaining_seconds() or 0)) <= 60


def test_later_jobs_of_unknown_duration_take_their_slots_for_good() -> None:
    sums = [QueuedSum(), QueuedSum(2, 100, 1), QueuedSum(4, 0, 4), QueuedSum(1, 10, 0)]
    later = LaterTurns(5, sums, {2: Period(START, Micros(START + 10))}, FreeSlots([(0, 1), (50, 1), (90, 1)]))
    assert later.position(2, Micros(START + 5)) == 10
    assert later.wait(1, START) == 0
    assert later.wait(2, START) == (100 + 50 + 90) / 2  # one slot is taken
    assert later.wait(3, START) is None  # five are
    assert list(later.waits()) == [(2, 0, pytest.approx(200 / 3)), (4, 120, 120)]
    assert later.end() is None


def test_later_jobs_take_the_slots_that_the_first_leave_free() -> None:
    line = [waiting(f"{place}", 60) for place in range(3)]
    queue = shortened(JobQueue.from_lists(START, workers(10), line, []), 2)
    assert forecast_queue(queue).longest_wait() == 0


def test_running_jobs_that_were_not_read_end_as_those_that_were() -> None:
    running_sum = OpenJobs(running=40, cores=80)
    read = [running("r", 1, 2), running("s", 3, 2)]
    rest = Rest.of(running_sum, None, read)
    queue = JobQueue.from_lists(START, workers(40, cores=100), [waiting("a", 60)], read, rest)
    assert (queue.running_jobs, queue.free_slots, queue.core_load, queue.slot_load) == (40, 0, 80, 100)
    better = queue.corrected([], [running("r", 2, 2), running("other", 2, 2)], [])
    assert (better.running_jobs, better.core_load) == (40, 80)


def test_a_later_job_that_was_read_itself_stays_behind_the_first() -> None:
    line = [waiting(f"{place}", 60, "Normal", START + place) for place in range(4)]
    queue = shortened(JobQueue.from_lists(START, workers(1), line, []), 2)
    better = queue.corrected([line[3], line[1]], [], ["0"])
    assert [job.job for job in better.queued] == ["1"]
    assert better.queued_jobs == [0, 0, 3, 0]
