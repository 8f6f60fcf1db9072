"""An in-memory index by status with its jobs, which queries return as of some steps ago."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from jobtrack import times
from jobtrack.domain.events import Event
from jobtrack.domain.job import Job
from jobtrack.domain.lifecycle import apply
from jobtrack.keys import ProjectKey
from jobtrack.store.job_versions import attributes
from jobtrack.store.snapshots import Snapshot, snapshot_key
from jobtrack.times import Micros
from tests.unit.job_builders import START

OWNER = ProjectKey("11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222")

Item = dict[str, Any]


@dataclass
class Table:
    """Jobs that change while they are listed: `between` runs before each request; the index lags by `lag` steps."""

    lag: int = 0
    between: Callable[[], None] = lambda: None
    items: dict[str, Item] = field(default_factory=dict)
    history: list[dict[str, tuple[str, str]]] = field(default_factory=list)
    jobs: dict[str, Job] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    most_keys: int = 100

    def put(self, job: Job) -> None:
        """A version of a job, in the index since this step."""
        key = OWNER.job_key(job.job_id)
        self.jobs[job.job_id] = job
        snapshot = Snapshot(key, 1, job)
        item = attributes(snapshot, times.EPOCH, snapshot.journal.packed_tail())
        self.items[key.partition] = {**snapshot_key(key), **item}
        self.step()

    def step(self) -> None:
        """Advance one step."""
        self.history.append({pk: (item["gpk"]["S"], item["gsk"]["S"]) for pk, item in self.items.items()})

    def query(self, **asked: Any) -> Item:
        """Query the index with BETWEEN, newest first, and Limit."""
        self.requests.append("query")
        self.between()
        values = {name: value["S"] for name, value in asked["ExpressionAttributeValues"].items()}
        assert values[":low"] <= values[":high"], "DynamoDB refuses such a range"
        index = self.history[max(0, len(self.history) - 1 - self.lag)] if self.history else {}
        found = sorted(
            (
                place
                for partition, place in index.values()
                if partition == values[":partition"] and values[":low"] <= place <= values[":high"]
            ),
            reverse=not asked["ScanIndexForward"],
        )
        return {"Items": [{"gsk": {"S": place}} for place in found[: asked["Limit"]]]}

    def batch_get_item(self, RequestItems: Item) -> Item:
        """Return the present jobs; of many keys some are unprocessed, in no order."""
        self.requests.append("batch")
        self.between()
        ((table, request),) = RequestItems.items()
        assert request["ConsistentRead"]
        keys = request["Keys"]
        assert 1 <= len(keys) <= 100
        done, left = keys[: self.most_keys], keys[self.most_keys :]
        items = [self.items[key["pk"]["S"]] for key in reversed(done) if key["pk"]["S"] in self.items]
        return {"Responses": {table: items}, "UnprocessedKeys": {table: {**request, "Keys": left}} if left else {}}


def job_id(number: int) -> str:
    return f"{number:08x}-0000-4000-8000-000000000000"


def new_job(number: int, created_at: int, **settings: Any) -> Job:
    return Job(job_id(number), f"Job {number}", "Test", Micros(created_at), **settings)


MOVES = {
    "Queued": ("jobStarted", "jobFailed", "jobCancelled"),
    "Running": ("jobCompleted", "jobFailed", "jobCancelled"),
}


def change_jobs(table: Table, rng: random.Random, moves: int) -> Iterator[str]:
    """In each step change some jobs and create others; yield the ids of the new ones."""
    number = 10_000
    while True:
        for _ in range(rng.randrange(moves + 1)):
            alive = sorted(each for each, job in table.jobs.items() if job.status in MOVES)
            if not alive or rng.random() < 0.2:
                number += 1
                table.put(new_job(number, START + number, priority=rng.choice(("Critical", "High", "Normal", "Low"))))
                yield job_id(number)
            else:
                job = table.jobs[rng.choice(alive)]
                apply(job, [Event(rng.choice(MOVES[job.status]), Micros(START + 1), {})], Micros(START + 1))
                table.put(job)
        table.step()
        yield ""
