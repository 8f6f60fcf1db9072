"""What reads cost, on jobs of 10 events and of a million; each answer is compared with a plain sorted list."""

import random
from collections.abc import Callable, Iterator
from itertools import islice

from bench import workload
from bench.report import Report
from bench.stage import Bench
from jobtrack import times
from jobtrack.journal import LEVELS, Family, Record
from jobtrack.keys import JobKey
from jobtrack.reported import Event
from jobtrack.store.reader import Range

MILLION = 1_000_000
HIDDEN_ERRORS = 10


def measure(bench: Bench, report: Report, count: int = MILLION) -> None:
    """Every read of the milestone, beside its limit."""
    small, large = bench.job(), bench.job()
    _write(bench, small, islice(workload.lines(random.Random(1), 10), 10), 10)
    lines = _write(bench, large, _mostly_quiet(random.Random(2), count), 500)
    for key, name in ((small, "10"), (large, f"{count:,}")):
        _snapshot(bench, report, key, f"progress of a job of {name} events")
    errors = f"logs, level=ERROR, {HIDDEN_ERRORS} in {count:,} lines"
    _page(bench, report, large, lines, Range((Family.ERROR,)), errors, requests=2, read_units=4)
    page = f"logs, limit=10000 of {count:,} lines sent 500 at a time"
    for asked in (Range(LEVELS, limit=10_000), Range(LEVELS, limit=10_000, backward=False)):
        _page(bench, report, large, lines, asked, f"{page}, {_direction(asked)}", requests=6, megabytes=0.7)
    for name, writer, size, count in WRITERS:
        key = bench.job()
        written = _write(bench, key, writer(random.Random(3), count), size)
        for asked in (Range(LEVELS, limit=10_000), Range(LEVELS, limit=10_000, backward=False)):
            _page(
                bench, report, key, written, asked, f"the same, {name}, {_direction(asked)}", requests=8, megabytes=1.5
            )


def _snapshot(bench: Bench, report: Report, key: JobKey, name: str) -> None:
    with bench.meter.measured() as used:
        bench.jobs.read(key, extras=True)
    report.add(name, "requests", used.requests, 1)
    report.add(name, "read units", used.read_units, 1)


def _page(
    bench: Bench,
    report: Report,
    key: JobKey,
    lines: list[Record],
    asked: Range,
    name: str,
    requests: int,
    read_units: float | None = None,
    megabytes: float | None = None,
) -> None:
    with bench.meter.measured() as used:
        found = bench.reader.page(bench.jobs.read(key), asked)
    held = sorted(filter(asked.holds, lines), key=lambda record: record.place)
    page = held[-asked.limit :] if asked.backward else held[: asked.limit]
    if found != (page, len(held) > asked.limit):
        raise AssertionError(f"{name}: not what a sorted list gives")
    report.add(name, "requests", used.requests, requests)
    if read_units is not None:
        report.add(name, "read units", used.read_units, read_units)
    if megabytes is not None:
        report.add(name, "MB read", round(used.bytes_read / 1e6, 3), megabytes)


def _write(bench: Bench, key: JobKey, lines: Iterator[Event], size: int) -> list[Record]:
    """Send the lines; answers what a reader must find."""
    sequence = bench.jobs.read(key).job.sequence
    sent: list[Record] = []
    while batch := list(islice(lines, size)):
        bench.jobs.report(key, batch)
        for event in batch:
            sequence += 1
            body = [event.data["message"], event.data["component"], event.data["stage"]]
            sent.append(Record(Family[event.data["level"]], event.time, sequence, body))
    return sent


def _mostly_quiet(rng: random.Random, count: int) -> Iterator[Event]:
    """Lines of which ten, spread over all, are errors."""
    every = count // HIDDEN_ERRORS
    for index in range(count):
        level = "ERROR" if index % every == every // 2 else rng.choices(("DEBUG", "INFO", "WARN"), (26, 66, 8))[0]
        yield workload.log(rng, workload.START + index * 10_000, level)


def _late(rng: random.Random, count: int) -> Iterator[Event]:
    """One line in ten is up to an hour late."""
    for index in range(count):
        delay = rng.randrange(times.HOUR) if rng.random() < 0.1 else 0
        yield workload.log(rng, workload.START + times.HOUR + index * 100_000 - delay)


def _jittered(rng: random.Random, count: int) -> Iterator[Event]:
    """Clocks that differ by up to 30 seconds."""
    for index in range(count):
        yield workload.log(rng, workload.START + times.HOUR + index * 10_000 + rng.randrange(-30, 30) * times.SECOND)


def _steady(rng: random.Random, count: int) -> Iterator[Event]:
    return workload.lines(rng, count, spacing=100_000)


WRITERS: tuple[tuple[str, Callable[[random.Random, int], Iterator[Event]], int, int], ...] = (
    ("late", _late, 500, 40_000),
    ("jittered", _jittered, 500, 40_000),
    ("line by line", _steady, 1, 12_000),
)


def _direction(asked: Range) -> str:
    return "backward" if asked.backward else "forward"
