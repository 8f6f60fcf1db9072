"""The cost of reads on jobs of 10, 10,000 and a million events. Each result is compared with a plain sorted list."""

import random
from collections.abc import Callable, Iterator
from itertools import islice

from bench import workload
from bench.metered_store import Bench
from bench.report import Report
from jobtrack import times
from jobtrack.domain.events import Event
from jobtrack.domain.journal.records import LEVELS, Family, Record
from jobtrack.domain.timeline import Scope
from jobtrack.keys import JobKey
from jobtrack.store.journal_reader import JournalQuery
from jobtrack.store.log_follower import LogFollower
from jobtrack.store.metric_history import MetricHistoryReader
from jobtrack.store.timeline import TimelineReader

MILLION = 1_000_000
HIDDEN_ERRORS = 10


def measure(bench: Bench, report: Report, count: int = MILLION) -> None:
    """Measure every read of a job at three sizes, then pages of a large job and of jobs with unordered writers."""
    for size in (10, 10_000, count):
        key = bench.job()
        lines = _write(bench, key, _mostly_quiet(random.Random(size), size), min(size, 500))
        _same_at_any_size(bench, report, key, lines, f"{size:,} events")
    errors = f"logs, level=ERROR, {HIDDEN_ERRORS} in {count:,} lines"
    _page(bench, report, key, lines, JournalQuery((Family.ERROR,)), errors, requests=2, read_units=4)
    page = f"logs, limit=10000 of {count:,} lines sent 500 at a time"
    for query in (JournalQuery(LEVELS, limit=10_000), JournalQuery(LEVELS, limit=10_000, backward=False)):
        _page(bench, report, key, lines, query, f"{page}, {_direction(query)}", requests=6, megabytes=0.7)
    for name, writer, size, count in WRITERS:
        key = bench.job()
        written = _write(bench, key, writer(random.Random(3), count), size)
        for query in (JournalQuery(LEVELS, limit=10_000), JournalQuery(LEVELS, limit=10_000, backward=False)):
            title = f"the same, {name}, {_direction(query)}"
            _page(bench, report, key, written, query, title, requests=8, megabytes=1.5)


def _same_at_any_size(bench: Bench, report: Report, key: JobKey, lines: list[Record], name: str) -> None:
    """Measure the reads whose cost must not grow with the job."""
    _snapshot(bench, report, key, f"progress of a job of {name}")
    _page(bench, report, key, lines, JournalQuery(LEVELS), f"logs, a page of 1000 of {name}", requests=6)
    for scope, requests in ((Scope(), 3), (Scope(sub_events=True), 5)):
        with bench.meter.measured() as used:
            TimelineReader(bench.reader).read_page(bench.jobs.read_snapshot(key), scope, 1000, None)
        report.add(f"timeline{', sub-events' * scope.sub_events}, {name}", "requests", used.requests, requests)
    with bench.meter.measured() as used:
        MetricHistoryReader(bench.reader).read_newest_buckets(bench.jobs.read_snapshot(key), 1, 1000)
    report.add(f"metrics, {name}", "requests", used.requests, 2)
    _follow(bench, report, key, lines, name)


def _follow(bench: Bench, report: Report, key: JobKey, lines: list[Record], name: str) -> None:
    """Measure the read of a follower that is close to the newest line."""
    follower = LogFollower(bench.meter.client, bench.jobs.table)
    since = lines[-5].sequence
    with bench.meter.measured() as used:
        page, _ = follower.read_lines(bench.jobs.read_snapshot(key), JournalQuery(LEVELS), since)
    if page != [line for line in lines if line.sequence > since]:
        raise AssertionError(f"following {name}: not what the list gives")
    report.add(f"logs, following the last lines of {name}", "requests", used.requests, 2)


def _snapshot(bench: Bench, report: Report, key: JobKey, name: str) -> None:
    with bench.meter.measured() as used:
        bench.jobs.read_snapshot(key, extras=True)
    report.add(name, "requests", used.requests, 1)
    report.add(name, "read units", used.read_units, 1)


def _page(
    bench: Bench,
    report: Report,
    key: JobKey,
    lines: list[Record],
    query: JournalQuery,
    name: str,
    requests: int,
    read_units: float | None = None,
    megabytes: float | None = None,
) -> None:
    with bench.meter.measured() as used:
        result = bench.reader.read_page(bench.jobs.read_snapshot(key), query)
    matching = sorted(filter(query.contains, lines), key=lambda record: record.place)
    page = matching[-query.limit :] if query.backward else matching[: query.limit]
    if result != (page, len(matching) > query.limit):
        raise AssertionError(f"{name}: not what a sorted list gives")
    report.add(name, "requests", used.requests, requests)
    if read_units is not None:
        report.add(name, "read units", used.read_units, read_units)
    if megabytes is not None:
        report.add(name, "MB read", round(used.bytes_read / 1e6, 3), megabytes)


def _write(bench: Bench, key: JobKey, lines: Iterator[Event], size: int) -> list[Record]:
    """Report the lines, and return what a reader must find."""
    sequence = bench.jobs.read_snapshot(key).job.sequence
    sent: list[Record] = []
    while batch := list(islice(lines, size)):
        bench.jobs.report(key, batch)
        for event in batch:
            sequence += 1
            body = [event.data["message"], event.data["component"], event.data["stage"]]
            sent.append(Record(Family[event.data["level"]], event.time, sequence, body))
    return sent


def _mostly_quiet(rng: random.Random, count: int) -> Iterator[Event]:
    """Return lines of which ten, evenly spread, are errors."""
    every = max(1, count // HIDDEN_ERRORS)
    for index in range(count):
        level = "ERROR" if index % every == every // 2 else rng.choices(("DEBUG", "INFO", "WARN"), (26, 66, 8))[0]
        yield workload.log(rng, workload.START + index * 10_000, level)


def _late(rng: random.Random, count: int) -> Iterator[Event]:
    """Return lines of which one in ten is up to an hour late."""
    for index in range(count):
        delay = rng.randrange(times.HOUR) if rng.random() < 0.1 else 0
        yield workload.log(rng, workload.START + times.HOUR + index * 100_000 - delay)


def _jittered(rng: random.Random, count: int) -> Iterator[Event]:
    """Return lines of writers whose clocks are wrong by up to 30 seconds."""
    for index in range(count):
        yield workload.log(rng, workload.START + times.HOUR + index * 10_000 + rng.randrange(-30, 30) * times.SECOND)


def _steady(rng: random.Random, count: int) -> Iterator[Event]:
    return workload.lines(rng, count, spacing=100_000)


WRITERS: tuple[tuple[str, Callable[[random.Random, int], Iterator[Event]], int, int], ...] = (
    ("late", _late, 500, 40_000),
    ("jittered", _jittered, 500, 40_000),
    ("line by line", _steady, 1, 12_000),
)


def _direction(query: JournalQuery) -> str:
    return "backward" if query.backward else "forward"
