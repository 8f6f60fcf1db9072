"""A measured jobs table on DynamoDB Local, where AWS's own code counts the read units."""

import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from bench import workload
from bench.meter import Meter, Usage
from jobtrack import aws
from jobtrack.domain.events import Event
from jobtrack.domain.job import Job, Stage
from jobtrack.keys import JobKey
from jobtrack.store.idempotency import Idempotency
from jobtrack.store.jobs import JobStore
from jobtrack.store.journal_reader import JournalReader
from jobtrack.store.snapshots import Snapshot
from jobtrack_local import environment
from jobtrack_local.engine import engines
from jobtrack_local.engine.provision import provision
from jobtrack_local.template import template


@dataclass(slots=True)
class Bench:
    """A measured store with its reader."""

    meter: Meter
    jobs: JobStore
    reader: JournalReader

    def job(self) -> JobKey:
        """Create a job of four stages, the third of which is running."""
        key = JobKey(*(str(uuid.uuid4()) for _ in range(3)))
        stages = [Stage(name) for name in workload.STAGES]
        job = Job(
            key.job, "Customer Journey Analysis", "ProcessMining", workload.START, submitted_by="user123", stages=stages
        )
        self.jobs.create(Snapshot(key, 0, job), "body", {})
        self.jobs.report(key, workload.opening())
        return key

    def report(self, key: JobKey, events: Sequence[Event]) -> Usage:
        """Report one batch under a new Idempotency-Key, and return its usage."""
        with self.meter.measured() as used:
            self.jobs.report(key, events, Idempotency(key, "events", str(uuid.uuid4()), "body"))
        return used


@contextmanager
def running() -> Iterator[Bench]:
    """Create the bench's table until the block ends."""
    with engines.running("dynamodb-local", None) as engine:
        environment.connect(engine)
        plan = template.load()
        table = provision(plan).refs["JobsTable"]
        client = aws.client("dynamodb")
        yield Bench(Meter(client, aws.client("dynamodb")), JobStore(client, table), JournalReader(client, table))
