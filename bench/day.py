"""The cost of reading the timeline and the metrics of a day. Each result is compared with plain lists."""

import random
from collections.abc import Sequence

from bench import workload
from bench.metered_store import Bench
from bench.report import Report
from jobtrack import limits, times
from jobtrack.domain.events import Event
from jobtrack.domain.journal.records import Record
from jobtrack.domain.timeline import Scope
from jobtrack.keys import JobKey
from jobtrack.store.metric_history import MetricHistoryReader
from jobtrack.store.timeline import TimelineReader
from jobtrack.times import Micros

_SECONDS = 24 * 3600
_EVERY = 10
"""Seconds between two progress updates, and between two samples."""
_BATCH = 15
_LATE = 0.1
"""Share of reports that are up to an hour late, for the late worker."""
_EVERY_UPDATE = 6
"""Requests for a page of all updates, which have two kinds of chunk: normal and wide."""
_FIRST = 8
"""Sequence of the first report after the job was created and started."""

Place = tuple[int, int]


def measure(bench: Bench, report: Report) -> None:
    """Measure a worker's day with all reports on time, and a day with a tenth of the reports late."""
    for name, late in (("", 0.0), (", a tenth of it late", _LATE)):
        key, events = bench.job(), _day(random.Random(7), late)
        for start in range(0, len(events), _BATCH):
            bench.jobs.report(key, events[start : start + _BATCH])
        for sub_events, requests in ((False, 3), (True, 5)):
            for limit in (limits.TIMELINE_ENTRIES_DEFAULT, limits.TIMELINE_ENTRIES):
                scope = Scope(sub_events=sub_events)
                _timeline(bench, report, key, events, scope, limit, name, requests)
        _timeline(bench, report, key, events, Scope("major_events"), limits.TIMELINE_ENTRIES, name, 3)
        _timeline(bench, report, key, events, Scope("seconds"), limits.TIMELINE_ENTRIES_DEFAULT, name, _EVERY_UPDATE)
        for minutes in (1, 5, 15):
            _metrics(bench, report, key, events, minutes, name)


def _day(rng: random.Random, late: float) -> list[Event]:
    """Return progress and samples (10 s), WARN lines (1 minute), ERROR lines (10 minutes) and resources (1 hour)."""
    events = []
    for second in range(0, _SECONDS, _EVERY):
        moment = workload.START + times.MINUTE + second * times.SECOND
        moment -= rng.randrange(times.HOUR) if rng.random() < late else 0
        events += [workload.progress(rng, moment, second), workload.sample(rng, moment)]
        if second % 60 == 0:
            events.append(workload.log(rng, moment, "ERROR" if second % 600 == 0 else "WARN"))
        if second % 3600 == 0:
            events.append(
                Event("resourceAllocated", Micros(moment), {"resourceType": "ComputeNode", "resourceId": "node"})
            )
    return events


def _timeline(
    bench: Bench,
    report: Report,
    key: JobKey,
    events: Sequence[Event],
    scope: Scope,
    limit: int,
    name: str,
    requests: int,
) -> None:
    name = f"timeline of 24 h{name}, {scope.granularity}{', sub-events' * scope.sub_events}, limit={limit}"
    with bench.meter.measured() as used:
        page, _ = TimelineReader(bench.reader).read_page(bench.jobs.read_snapshot(key), scope, limit, None)
    if [record.place for record in page if record.sequence >= _FIRST] != _plain(events, scope, page)[:limit]:
        raise AssertionError(f"{name}: not what plain lists give")
    report.add(name, "requests", used.requests, requests)


def _plain(events: Sequence[Event], scope: Scope, page: Sequence[Record]) -> list[Place]:
    """Return the positions of the entries up to the last entry of the page."""
    numbered: list[tuple[Event, Place]] = [
        (event, (event.time, sequence)) for sequence, event in enumerate(events, _FIRST)
    ]
    last: dict[int, Place] = {}
    for event, place in numbered:
        if event.type == "progressUpdate":
            minute = event.time // times.MINUTE
            last[minute] = max(place, last.get(minute, place))
    expected: dict[str, set[Place]] = {
        "progressUpdate": {
            "seconds": {place for _, place in numbered},
            "minutes": set(last.values()),
            "major_events": set(),
        }[scope.granularity],
        "log": {place for _, place in numbered} if scope.sub_events else set(),
        "resourceAllocated": {place for _, place in numbered} if scope.sub_events else set(),
    }
    return sorted(
        place for event, place in numbered if place in expected.get(event.type, ()) and place <= page[-1].place
    )


def _metrics(bench: Bench, report: Report, key: JobKey, events: Sequence[Event], minutes: int, late: str) -> None:
    name = f"metrics with 24 h of history{late}, {minutes}m"
    with bench.meter.measured() as used:
        newest = MetricHistoryReader(bench.reader).read_newest_buckets(
            bench.jobs.read_snapshot(key), minutes, limits.HISTORY_BUCKETS
        )
    width = minutes * times.MINUTE
    sampled: dict[int, list[float]] = {}
    for event in events:
        if event.type == "metricSample":
            sampled.setdefault(-(-event.time // width) * width, []).append(event.data["cpuUsage"])
    expected = [(end, round(sum(values) / len(values), 6)) for end, values in sorted(sampled.items())]
    if [(bucket.end, round(bucket.mean("cpuUsage") or 0, 6)) for bucket in newest] != expected:
        raise AssertionError(f"{name}: not what plain lists give")
    report.add(name, "requests", used.requests, 2)
    report.add(name, "read units", used.read_units, 160)
