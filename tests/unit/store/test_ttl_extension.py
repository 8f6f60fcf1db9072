"""A job that still reports loses no item to TTL, and afterwards everything is kept for the retention."""

import random
from collections.abc import Iterator
from functools import partial
from itertools import pairwise
from typing import Any, cast

from hypothesis import given, settings
from hypothesis import strategies as st

from jobtrack import times
from jobtrack.domain.events import Event
from jobtrack.domain.job import Job, Stage
from jobtrack.invocation import Invocation
from jobtrack.keys import JobKey
from jobtrack.scheduled.ttl_extender import TtlExtender
from jobtrack.store.dependencies import DependencyStore
from jobtrack.store.jobs import JobStore
from jobtrack.store.snapshots import Snapshot
from jobtrack.store.timers import EXTENSION, TimerStore
from jobtrack.store.ttl_extension import TtlStore
from jobtrack.times import Micros
from tests.unit.job_builders import START
from tests.unit.memory_table import Place, Table

DAYS = 7
RETENTION = DAYS * 24 * 3600
BEFORE, KEY = JobKey("t", "p", "before"), JobKey("t", "p", "job")


class Extending(Table):
    """A table that records writes that only extend an expiry."""

    def __init__(self) -> None:
        super().__init__()
        self.moved: dict[Place, list[int]] = {}
        self.now = START // times.SECOND

    def update_item(self, **update: Any) -> None:
        super().update_item(**update)
        if update["UpdateExpression"] == "SET #exp = :extended":
            key = update["Key"]
            self.moved.setdefault((key["pk"]["S"], key["sk"]["S"]), []).append(self.now)


class World:
    """A job that reports, a clock, and a table that deletes expired items immediately."""

    def __init__(self) -> None:
        self.table = Extending()
        client = cast("Any", self.table)
        self.jobs = JobStore(client, "jobs", DAYS, now=lambda: Micros(self.micros))
        self.extender = TtlExtender(
            TimerStore(client, "jobs", EXTENSION, RETENTION),
            TtlStore(client, "jobs", self.jobs.retention),
            lambda: Micros(self.micros),
        )
        self.relations = DependencyStore(client, "jobs")
        self.reported = self.table.now
        self.ever: set[Place] = set()
        self.create(BEFORE)
        self.create(KEY, [BEFORE.job])

    @property
    def micros(self) -> int:
        return self.table.now * times.SECOND

    def create(self, key: JobKey, prerequisites: list[str] | None = None) -> None:
        expires = self.jobs.retention.item_expiry(Micros(self.micros))
        self.relations.put_edges(key, prerequisites or [], expires)
        kept = {"prerequisites": [[each, None] for each in prerequisites]} if prerequisites else {}
        job = Job(key.job, "Example", "Test", Micros(self.micros), stages=[Stage("A")], metadata={"text": "x" * 4000})
        beside = list(self.relations.creation_actions(key, kept, expires))
        self.jobs.create(Snapshot(key, 0, job), "body", {}, actions=beside)

    def report(self, *events: Event) -> None:
        self.jobs.report(KEY, events)
        self.reported = self.table.now
        self.ever |= set(self.belongs())

    def belongs(self) -> Iterator[Place]:
        """Return the job's items, in its own partition and in that of its prerequisite."""
        for partition, place in self.table.held:
            if (partition == KEY.partition and place[0] in "LNRXSI") or place == f"D#{KEY.job}":
                yield partition, place

    def pass_by(self, seconds: int) -> None:
        """Advance the time: expired items are deleted, and the watchdog runs."""
        self.table.now += seconds
        for place, item in list(self.table.held.items()):
            if "exp" in item and int(item["exp"]["N"]) <= self.table.now:
                del self.table.held[place]
        self.extender.run(Invocation())


def line(rng: random.Random, moment: int) -> Event:
    return Event("log", Micros(moment), {"level": rng.choice(["INFO", "WARN"]), "message": f"{rng.getrandbits(400):x}"})


def test_a_job_of_ten_days_keeps_every_line_for_seven_days_after_its_last() -> None:
    world, rng = World(), random.Random(1)
    world.report(Event("jobStarted", START, {}), Event("blocked", START, {"condition": "disk"}))
    for _ in range(10 * 24):
        world.report(*(line(rng, world.micros) for _ in range(30)))
        world.pass_by(3600)
    assert len(world.ever) > 400
    assert set(world.belongs()) == world.ever
    world.report(Event("jobCompleted", Micros(world.micros), {}))
    world.pass_by(3600)
    world.pass_by(RETENTION - 3601)
    assert set(world.belongs()) == world.ever
    world.report(line(rng, world.micros))  # a late one, in the last second
    world.pass_by(3600)
    world.pass_by(RETENTION - 3601)
    assert set(world.belongs()) == world.ever
    world.pass_by(RETENTION)
    assert set(world.belongs()) == set()


def test_an_item_is_extended_at_most_once_per_half_retention() -> None:
    world, rng = World(), random.Random(1)
    for _ in range(20 * 24):
        world.report(line(rng, world.micros))
        world.pass_by(3600)
    assert world.table.moved
    for moments in world.table.moved.values():
        assert all(later - earlier >= RETENTION // 2 for earlier, later in pairwise(moments))


gaps = st.sampled_from([1, 600, 3600, 86_400, 2 * 86_400, RETENTION // 8, RETENTION // 2, RETENTION - 60])


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(gaps, st.integers(1, 40)), max_size=40))
def test_whenever_it_reports_everything_outlives_the_snapshot(plan: list[tuple[int, int]]) -> None:
    world, rng = World(), random.Random(1)
    for gap, lines in plan:
        world.report(*(line(rng, world.micros) for _ in range(lines)))
        world.pass_by(30)
        held = world.table.held
        assert set(world.belongs()) >= world.ever
        assert all(int(held[place]["exp"]["N"]) >= world.reported + RETENTION for place in world.ever)
        world.pass_by(gap)


def test_a_job_that_ends_within_an_eighth_of_the_retention_costs_nothing() -> None:
    world, rng = World(), random.Random(1)
    for _ in range(20):
        world.report(line(rng, world.micros))
        world.pass_by(3600)
    assert world.table.moved == {}
    assert not any(partition.startswith("extension#") for partition, _ in world.table.held)


def test_a_run_without_time_goes_on_where_it_ended() -> None:
    world, rng = World(), random.Random(1)
    for _ in range(400):
        world.report(*(line(rng, world.micros) for _ in range(5)))
    world.table.now += RETENTION // 2
    world.report(line(rng, world.micros))
    chunks = {place for place in world.belongs() if place[1][0] == "L"}
    runs = 0
    while any(partition.startswith("extension#") for partition, _ in world.table.held):
        runs += 1
        world.extender.run(Invocation(partial(next, iter([True, True, False]), False)))
    assert runs > 2
    assert all(len(world.table.moved[place]) == 1 for place in chunks if place in world.table.moved)
    assert len(world.table.moved.keys() & chunks) >= len(chunks) - 1


def test_nothing_is_extended_of_a_job_that_is_gone() -> None:
    world, rng = World(), random.Random(1)
    world.report(line(rng, world.micros))
    world.table.now += RETENTION // 2
    world.report(line(rng, world.micros))
    del world.table.held[KEY.partition, "S"]
    world.extender.run(Invocation())
    assert world.table.moved == {}
    assert not any(partition.startswith("extension#") for partition, _ in world.table.held)
