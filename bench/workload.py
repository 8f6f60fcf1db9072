"""Reports as workers send them, from a seed: lines of about 200 bytes, progress, samples."""

import random
from collections.abc import Iterator

from jobtrack import times
from jobtrack.domain.events import Event
from jobtrack.domain.job import Json
from jobtrack.times import Micros

STAGES = ("Data Loading", "Process Discovery", "Performance Analysis", "Report Generation")
START = times.parse("2026-01-20T10:30:00Z")

_LEVELS, _SHARES = ("DEBUG", "INFO", "WARN", "ERROR"), (25, 65, 8, 2)
_COMPONENTS = ("DataLoader", "ProcessMiner", "DataValidator", "AnalyticsEngine", "ReportGenerator")


def log(rng: random.Random, moment: int, level: str | None = None) -> Event:
    """Return a log line of about 200 bytes of JSON."""
    count = rng.randrange(10**6)
    message = (
        f"Processing batch {count} of {count + rng.randrange(10**6)}: file part-{rng.getrandbits(32):08x}.csv, "
        f"rows={rng.randrange(10**5)}, took {rng.randrange(10**4)} ms"
    )
    data = {
        "level": level or rng.choices(_LEVELS, _SHARES)[0],
        "component": rng.choice(_COMPONENTS),
        "stage": STAGES[2],
        "message": message,
    }
    return Event("log", Micros(moment), data)


def progress(rng: random.Random, moment: int, done: int) -> Event:
    """Return progress of a stage with a million records."""
    data = {
        "stageName": STAGES[2],
        "recordsProcessed": done,
        "totalRecords": 10**6,
        "operation": "Calculating waiting times",
    }
    return Event("progressUpdate", Micros(moment), data)


def sample(rng: random.Random, moment: int) -> Event:
    """Return a sample with all resources."""
    data = {
        "cpuUsage": round(rng.uniform(0, 200), 1),
        "memoryBytes": rng.randrange(2**32),
        "diskReadBytes": rng.randrange(2**34),
        "diskWriteBytes": rng.randrange(2**34),
        "diskUsedBytes": rng.randrange(2**34),
        "networkInBytes": rng.randrange(2**30),
        "networkOutBytes": rng.randrange(2**30),
        "recordsPerSecond": round(rng.uniform(0, 2000), 1),
    }
    return Event("metricSample", Micros(moment), data)


def mixed(rng: random.Random, count: int, start: int, spacing: int = 20_000) -> list[Event]:
    """Return a typical batch: eight of ten events are lines, one is progress, one a sample.

    A single event is a line.
    """
    events = []
    for index in range(count):
        moment = start + index * spacing
        if index % 10 == 8:
            events.append(progress(rng, moment, rng.randrange(10**6)))
        elif index % 10 == 9:
            events.append(sample(rng, moment))
        else:
            events.append(log(rng, moment))
    return events


def opening() -> list[Event]:
    """Return the events that start a job of four stages and its third stage."""
    begun: list[tuple[str, Json]] = [
        ("jobStarted", {"resourcesAllocated": {"cpuUnits": 2, "memoryGB": 4, "workerNode": "worker-node-02"}}),
        ("stageStarted", {"stageName": STAGES[0]}),
        ("stageCompleted", {"stageName": STAGES[0], "recordsProcessed": 192_850, "metrics": {"dataValidated": True}}),
        ("stageStarted", {"stageName": STAGES[1]}),
        ("stageCompleted", {"stageName": STAGES[1], "recordsProcessed": 192_850, "metrics": {"variantsFound": 234}}),
        ("stageStarted", {"stageName": STAGES[2]}),
    ]
    return [Event(kind, Micros(START + index * times.SECOND), data) for index, (kind, data) in enumerate(begun)]


def lines(rng: random.Random, count: int, spacing: int = 10_000) -> Iterator[Event]:
    """Return lines in order of time."""
    for index in range(count):
        yield log(rng, START + index * spacing)
