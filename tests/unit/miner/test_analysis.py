from collections import Counter, defaultdict
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import fmean, median

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobtrack_demo.miner.discovery import discover
from jobtrack_demo.miner.eventlog import Cause, Loader
from jobtrack_demo.miner.performance import Spread, analyse, bottlenecks, transitions
from jobtrack_demo.miner.report import report
from jobtrack_demo.miner.source import Chunk, InputError
from tests.unit.miner.logs import Row, analysis_of, log_of, named

ORDERS: list[Row] = [
    ("1", "pay", "2024-01-01T12:00:00+09:00"),
    ("2", "order", "2024-01-01T00:00:00Z"),
    ("1", "order", "2024-01-01T02:00:00.5Z"),
    (None, "order", "2024-01-01T00:00:00Z"),
    ("2", "pay", "2024-01-01T00:00:10Z"),
    ("3", "order", "2024-01-01T00:00:00Z"),
    ("3", "pay", "2024-01-01T00:00:20Z"),
    ("3", "pay", "2024-01-01T00:00:20Z"),
    ("3", None, "2024-01-01T00:00:30Z"),
    ("3", "ship", None),
    ("3", "ship", "soon"),
    ("4", "cancel", "2024-01-05T00:00:00Z"),
]


def test_sums_a_small_log_up() -> None:
    found = report(analysis_of(ORDERS))
    assert found["timeRange"] == {"start": "2024-01-01T00:00:00Z", "end": "2024-01-05T00:00:00Z"}
    assert found["cases"] == 4
    assert found["activities"] == [
        {"activity": "pay", "count": 4},
        {"activity": "order", "count": 3},
        {"activity": "cancel", "count": 1},
    ]
    assert found["startActivities"] == [{"activity": "order", "count": 3}, {"activity": "cancel", "count": 1}]
    assert found["endActivities"] == [{"activity": "pay", "count": 3}, {"activity": "cancel", "count": 1}]
    assert found["variants"] == {
        "total": 3,
        "top": [
            {"activities": ["order", "pay"], "count": 2},
            {"activities": ["cancel"], "count": 1},
            {"activities": ["order", "pay", "pay"], "count": 1},
        ],
    }
    assert found["directlyFollows"] == [
        {
            "from": "order",
            "to": "pay",
            "count": 3,
            "waitingSeconds": {"mean": 1209.833, "median": 20.0, "p90": 2883.6},
        },
        {"from": "pay", "to": "pay", "count": 1, "waitingSeconds": {"mean": 0.0, "median": 0.0, "p90": 0.0}},
    ]
    assert found["caseDurationSeconds"] == {"mean": 907.375, "median": 15.0, "p90": 2525.65}
    assert found["bottlenecks"] == []


def test_counts_events_duplicates_and_transitions() -> None:
    log = log_of(ORDERS)
    assert (len(log), log.duplicates(), transitions(log)) == (8, 1, 4)


def test_a_record_is_left_out_for_the_first_cause_that_holds() -> None:
    rows: list[Row] = [
        ("1", "a", "2024-01-01"),
        (None, None, None),
        ("1", None, None),
        ("1", "a", None),
        ("1", "a", "x"),
    ]
    part = Loader().encode(Chunk(pd.DataFrame(rows, columns=["case", "activity", "time"], dtype="str"), [6]))
    assert part.causes().tolist() == [
        Cause.NONE,
        Cause.NO_CASE,
        Cause.NO_ACTIVITY,
        Cause.NO_TIME,
        Cause.UNREADABLE_TIME,
    ]
    assert part.records == 6
    checked = part.checked()
    assert checked.excluded == {cause: 1 for cause in Cause if cause}
    assert (len(checked.valid.cases), checked.numbers) == (1, [1, 2, 3, 4, 6])


def test_refuses_a_log_without_a_valid_record() -> None:
    with pytest.raises(InputError, match="nothing to analyse"):
        log_of([(None, "a", "2024-01-01T00:00:00Z"), ("1", "a", "never")])


def test_a_bottleneck_waits_twice_the_mean_and_is_not_rare() -> None:
    waits = {
        (0, 1): Spread(50_000, 1.0, 1.0, 1.0),
        (1, 2): Spread(1000, 60.0, 60.0, 60.0),
        (2, 3): Spread(2000, 40.0, 40.0, 40.0),
        (3, 4): Spread(2, 9000.0, 9000.0, 9000.0),
    }
    assert bottlenecks(waits) == [(2, 3), (1, 2)]
    assert bottlenecks({}) == []
    assert bottlenecks({(0, 0): Spread(3, 0.0, 0.0, 0.0)}) == []


cases = st.sampled_from([None, "a", "b", "c", "d"])
activities = st.sampled_from([None, "p", "q", "r"])
seconds = st.one_of(st.none(), st.integers(0, 40))
records = st.tuples(cases, activities, seconds)


def valid(rows: list[Row]) -> dict[str, list[tuple[datetime, str]]]:
    """Return the cases of the readable rows, computed simply: grouped, then sorted by time (stable)."""
    grouped: dict[str, list[tuple[datetime, str]]] = defaultdict(list)
    for case, activity, time in rows:
        if case and activity and time:
            grouped[case].append((datetime.fromisoformat(time), activity))
    return {case: sorted(events, key=lambda event: event[0]) for case, events in grouped.items()}


def written(rows: list[tuple[str | None, str | None, int | None]]) -> list[Row]:
    start = datetime.fromisoformat("2024-01-01T00:00:00+00:00")
    return [
        (case, activity, None if second is None else (start + timedelta(seconds=second * 1.25)).isoformat())
        for case, activity, second in rows
    ]


@given(st.lists(records, min_size=1, max_size=60), st.integers(1, 7))
def test_agrees_with_a_naive_implementation(rows: list[tuple[str | None, str | None, int | None]], step: int) -> None:
    text = [*written(rows), ("z", "p", "2024-01-01T00:00:00+00:00")]
    expected = valid(text)
    log = log_of(text, chunk=step)
    done: list[int] = []
    model, measured = discover(log, step, done.append), analyse(log, step)
    assert sum(done) == len(log) == sum(map(len, expected.values()))
    names = log.activity_names
    sequences = [tuple(activity for _, activity in events) for events in expected.values()]
    found = {tuple(names[code] for code in codes): count for codes, count in model.top_variants(99)}
    assert found == Counter(sequences)
    assert {names[code]: n for code, n in model.activities.items()} == Counter(a for s in sequences for a in s)
    assert {names[code]: n for code, n in model.starts.items()} == Counter(s[0] for s in sequences)
    assert {names[code]: n for code, n in model.ends.items()} == Counter(s[-1] for s in sequences)
    waits = naive_waits(expected)
    assert {named(log, edge): n for edge, n in model.edges.items()} == {edge: len(w) for edge, w in waits.items()}
    assert {named(log, edge) for edge in measured.waits} == set(waits)
    for edge, spread in measured.waits.items():
        seconds_waited = waits[named(log, edge)]
        assert spread.count == len(seconds_waited)
        assert (spread.mean, spread.median, spread.p90) == pytest.approx(naive_spread(seconds_waited))
    lengths = [(events[-1][0] - events[0][0]).total_seconds() for events in expected.values()]
    assert measured.durations.mean == pytest.approx(fmean(lengths))


def naive_waits(grouped: dict[str, list[tuple[datetime, str]]]) -> dict[tuple[str, str], list[float]]:
    waits: dict[tuple[str, str], list[float]] = defaultdict(list)
    for events in grouped.values():
        for (before, source), (after, target) in pairwise(events):
            waits[source, target].append((after - before).total_seconds())
    return waits


def naive_spread(values: list[float]) -> tuple[float, float, float]:
    ordered = sorted(values)
    place = 0.9 * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return fmean(values), median(values), ordered[low] + (ordered[high] - ordered[low]) * (place - low)
