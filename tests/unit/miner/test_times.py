from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobtrack_demo.miner.eventlog import MISSING_TIME, UNREADABLE_TIME, parse_times

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def micros(*texts: str | None) -> list[int]:
    result: list[int] = parse_times(pd.Series(list(texts), dtype="str")).tolist()
    return result


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01T00:00:00.000001Z", 1),
        ("1970-01-01T09:00:00.5+09:00", 500_000),
        ("1969-12-31T20:30:01-03:30", 1_000_000),
        ("1970-01-01 00:00:02", 2_000_000),
        ("1970-01-02", 86_400_000_000),
        ("1970-01-01T00:00:00.123456789Z", 123_456),
        ("9999-12-31T00:00:00Z", 253_402_214_400_000_000),
        ("yesterday noon", UNREADABLE_TIME),
        ("2024-02-30T00:00:00Z", UNREADABLE_TIME),
        ("1970-01-01T25:00:00Z", UNREADABLE_TIME),
        ("1234", UNREADABLE_TIME),
        ("9999-12-31T23:59:59-14:00", UNREADABLE_TIME),
        (None, MISSING_TIME),
    ],
)
def test_reads_iso_times(text: str | None, expected: int) -> None:
    assert micros(text) == [expected]


def test_one_long_fraction_or_bad_time_changes_no_neighbour() -> None:
    far, long, bad = "9999-12-31T00:00:00Z", "2024-01-01T00:00:00.123456789+01:00", "?"
    assert micros(far, long, bad, None) == [*micros(far), *micros(long), UNREADABLE_TIME, MISSING_TIME]


def test_no_rows_give_no_times() -> None:
    assert parse_times(pd.Series([], dtype="str")).dtype == np.int64


offsets = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
moments = st.datetimes(datetime(1900, 1, 2), datetime(2200, 1, 1), timezones=offsets)


@given(st.lists(moments, min_size=1, max_size=8))
def test_agrees_with_the_standard_library(times: list[datetime]) -> None:
    expected = [(moment - EPOCH) // timedelta(microseconds=1) for moment in times]
    assert micros(*(moment.isoformat() for moment in times)) == expected
