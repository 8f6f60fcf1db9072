"""Build jobs and events for tests."""

from typing import Any

from jobtrack import times
from jobtrack.domain.events import Event
from jobtrack.domain.job import Job, Stage
from jobtrack.domain.lifecycle import apply
from jobtrack.times import Micros

START = times.parse("2024-01-20T10:30:00Z")


def at(clock: str) -> Micros:
    """Return a time of the example's day, such as `10:32:15`."""
    return times.parse(f"2024-01-20T{clock}Z")


def queued(*stages: str | Stage, **settings: Any) -> Job:
    """Return a queued job."""
    planned = [stage if isinstance(stage, Stage) else Stage(stage) for stage in stages]
    return Job("cc0e8400-e29b-41d4-a716-446655440000", "Example", "Test", START, stages=planned, **settings)


def running(*stages: str | Stage, **settings: Any) -> Job:
    """Return a job that started at 10:30:00."""
    job = queued(*stages, **settings)
    report(job, "10:30:00", "jobStarted")
    return job


def report(job: Job, clock: str, kind: str, /, **data: Any) -> None:
    """Apply one event."""
    apply(job, [Event(kind, at(clock), data)], at(clock))
