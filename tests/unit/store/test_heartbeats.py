"""A heartbeat without a key is one update of an item of at most 2 KB: two write units."""

import random
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobtrack import limits, times
from jobtrack.domain.events import Event
from jobtrack.domain.job import Job, Stage
from jobtrack.errors import InvalidTransition
from jobtrack.keys import JobKey
from jobtrack.store.item_sizes import item_size
from jobtrack.store.jobs import JobStore
from jobtrack.store.snapshots import Listener, Snapshot, snapshot_key
from jobtrack.times import Micros
from tests.unit.job_builders import START
from tests.unit.memory_table import Item, Table

KEY = JobKey(*(f"{digit * 8}-0000-4000-8000-000000000000" for digit in "123"))
LATER = times.add_seconds(START, 28_800)
HOOK = {"sub-123e8400-e29b-41d4-a716-446655440000": Listener(LATER, frozenset({"stageCompleted", "jobCompleted"}))}


class Metered(Table):
    """A table that records each write: the operation, and the size of the job's snapshot after it."""

    def __init__(self) -> None:
        super().__init__()
        self.writes: list[tuple[str, int]] = []

    def update_item(self, **update: Any) -> None:
        super().update_item(**update)
        self.writes.append(("UpdateItem", self.snapshot_bytes()))

    def transact_write_items(self, TransactItems: list[Item]) -> None:
        super().transact_write_items(TransactItems)
        self.writes.append(("TransactWriteItems", self.snapshot_bytes()))

    def snapshot_bytes(self) -> int:
        key = snapshot_key(KEY)
        return item_size(self.held[key["pk"]["S"], key["sk"]["S"]])


def store(table: Metered, stages: int, **changes: Any) -> JobStore:
    """Return a store with a running job."""
    made = JobStore(cast("Any", table), "jobs", now=lambda: START)
    planned = [Stage(f"Stage {number}", expected_seconds=60 * number) for number in range(1, stages + 1)]
    job = Job(KEY.job, "Customer Journey Analysis", "Mining", START, heartbeat_seconds=300, stages=planned, **changes)
    made.create(Snapshot(KEY, 0, job, listeners=HOOK), "body", {})
    made.report(KEY, [Event("jobStarted", START, {"resourcesAllocated": {"cpuUnits": 2, "memoryGB": 4}})])
    return made


def heartbeats(count: int = 1) -> list[Event]:
    return [Event("heartbeat", START, {})] * count


def reported(rng: random.Random, kind: str, count: int, stages: int) -> list[Event]:
    """Return events of one kind whose texts and numbers hardly compress."""
    stage = {"stageName": f"Stage {rng.randint(1, stages)}"} if stages else {}

    def data() -> dict[str, Any]:
        if kind == "log":
            level = rng.choice(["DEBUG", "INFO", "WARN", "ERROR"])
            return {"level": level, "message": f"{rng.getrandbits(rng.randint(8, 1600)):x}"}
        if kind == "metricSample":
            return {"cpuUsage": rng.uniform(0, 200), "memoryBytes": rng.getrandbits(34), "iops": rng.getrandbits(16)}
        if kind == "progressUpdate":
            return {**stage, "recordsProcessed": rng.getrandbits(20), "totalRecords": 2**20, "operation": "Mining"}
        if kind == "milestone":
            return {"description": f"{rng.getrandbits(400):x}"}
        return {**stage, "recordsProcessed": rng.getrandbits(20), "metrics": {"found": rng.getrandbits(20)}}

    return [Event(kind, Micros(START + rng.randrange(times.HOUR)), data()) for _ in range(count)]


KINDS = ("log", "metricSample", "progressUpdate", "milestone")
batches = st.tuples(st.sampled_from(KINDS), st.sampled_from([1, 1, 7, 50, 500]))


@settings(max_examples=25, deadline=None)
@given(st.lists(batches, max_size=25), st.sampled_from([0, 4, 20]), st.integers(0, 2**32))
def test_after_whatever_was_reported_a_heartbeat_is_one_update_of_two_kilobytes(
    plan: list[tuple[str, int]], stages: int, seed: int
) -> None:
    rng, table = random.Random(seed), Metered()
    jobs = store(table, stages)
    for number in range(1, stages + 1):
        name = {"stageName": f"Stage {number}"}
        jobs.report(KEY, [Event("stageStarted", START, name)])
        jobs.report(KEY, [Event("stageCompleted", Micros(START + times.SECOND), {**name, "recordsProcessed": 190_000})])
    for kind, count in plan:
        jobs.report(KEY, reported(rng, kind, count, 0))
        table.writes.clear()
        jobs.report(KEY, heartbeats())
        jobs.report(KEY, heartbeats(3))
        assert [operation for operation, _ in table.writes] == ["UpdateItem"] * 2
        assert max(after for _, after in table.writes) <= limits.SNAPSHOT_BYTES


def test_a_day_of_heartbeats_is_single_updates() -> None:
    table = Metered()
    jobs = store(table, 4)
    jobs.report(KEY, reported(random.Random(1), "log", 20, 4))
    table.writes.clear()
    for _ in range(864):
        jobs.report(KEY, heartbeats())
    assert {operation for operation, _ in table.writes} == {"UpdateItem"}


def test_heartbeats_take_the_next_sequences_and_are_seen_at_once() -> None:
    table = Metered()
    jobs = store(table, 4)
    assert jobs.report(KEY, heartbeats(2))[0] == {"accepted": 2, "lastSequence": 4}
    assert jobs.report(KEY, heartbeats())[0] == {"accepted": 1, "lastSequence": 5}
    assert jobs.read_snapshot(KEY).job.sequence == 5


def test_after_the_end_a_heartbeat_is_refused() -> None:
    table = Metered()
    jobs = store(table, 0)
    jobs.report(KEY, [Event("jobCompleted", START, {})])
    with pytest.raises(InvalidTransition, match="Completed"):
        jobs.report(KEY, heartbeats())


def test_what_must_be_larger_is_not_cut_into_small_chunks_for_it() -> None:
    """A snapshot that listeners and labels fill keeps its tail of 1 KB; 2 KB cannot be reached."""
    table = Metered()
    rng = random.Random(1)
    jobs = store(table, 0, description=f"{rng.getrandbits(8 * 1900):x}"[:2048])
    for _ in range(40):
        jobs.report(KEY, reported(rng, "log", 1, 0))
    chunks = [place for place in table.held if place[1].startswith("L")]
    assert table.snapshot_bytes() > limits.SNAPSHOT_BYTES
    assert len(chunks) < 20
