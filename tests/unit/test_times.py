"""Times and their texts."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobtrack import times

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FIRST = times.parse("0001-01-01T00:00:00Z")
LAST = times.parse("9999-12-31T23:59:59.999999Z")
moments = st.integers(FIRST, LAST).map(times.Micros)
offsets = st.integers(-1439, 1439).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@given(moments)
def test_what_is_rendered_is_read_as_the_same_moment(moment: times.Micros) -> None:
    assert times.parse(times.render(moment)) == moment


@given(moments)
def test_a_moment_is_rendered_in_utc_without_needless_fraction(moment: times.Micros) -> None:
    text = times.render(moment)
    assert text.endswith("Z")
    assert ("." in text) == bool(moment % times.SECOND)
    assert not text.endswith("0Z") or "." not in text
    assert datetime.fromisoformat(text) == EPOCH + timedelta(microseconds=moment)


@given(moments, moments)
def test_whole_seconds_sort_as_texts_as_they_do_as_moments(one: times.Micros, other: times.Micros) -> None:
    one, other = times.whole(one), times.whole(other)
    assert (one < other) == (times.render(one) < times.render(other))


@given(st.datetimes(datetime(2, 1, 1), datetime(9998, 12, 31), timezones=offsets))
def test_any_offset_is_read_as_python_reads_it(moment: datetime) -> None:
    assert times.parse(moment.isoformat()) == (moment - EPOCH) // timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("text", "rendered"),
    [
        ("2024-01-20T19:30:00+09:00", "2024-01-20T10:30:00Z"),
        ("2024-01-20t10:30:00z", "2024-01-20T10:30:00Z"),
        ("2024-01-20 10:30:00-00:00", "2024-01-20T10:30:00Z"),
        ("2024-01-20T10:30:00.5Z", "2024-01-20T10:30:00.5Z"),
        ("2024-01-20T10:30:00.000000Z", "2024-01-20T10:30:00Z"),
        ("2024-01-20T10:30:00.1234569Z", "2024-01-20T10:30:00.123456Z"),
        ("2024-02-29T23:59:59-23:59", "2024-03-01T23:58:59Z"),
        ("2016-12-31T23:59:60Z", "2016-12-31T23:59:59Z"),
    ],
)
def test_forms_of_rfc_3339(text: str, rendered: str) -> None:
    assert times.render(times.parse(text)) == rendered


@pytest.mark.parametrize(
    "text",
    [
        "", "now", "2024-01-20", "2024-01-20T10:30:00", "2024-01-20T10:30Z", "2024-01-20T10:30:00+0900",
        "2024-01-20T10:30:00+09", "2024-01-20T24:00:00Z", "2024-01-20T10:60:00Z", "2024-01-20T10:30:61Z",
        "2024-02-30T10:30:00Z", "2023-02-29T10:30:00Z", "2024-13-01T10:30:00Z", "0000-01-01T00:00:00Z",
        "10000-01-01T00:00:00Z", "-024-01-20T10:30:00Z", "2024-01-20T10:30:00.Z", "2024-01-20T10:30:00,5Z",
        "2024-01-20T10:30:00Z ", " 2024-01-20T10:30:00Z", "2024-01-20T10:30:00Z\n", "２０２４-01-20T10:30:00Z",
        "2024-01-20T10:30:00+24:00", "0001-01-01T00:00:00+00:01", "9999-12-31T23:59:59-00:01", "1705746600",
    ],
)  # fmt: skip
def test_what_is_no_time_with_an_offset_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="time"):
        times.parse(text)


@given(st.text(max_size=40))
def test_no_text_does_harm(text: str) -> None:
    with suppress(ValueError):
        assert FIRST <= times.parse(text) <= LAST


@given(st.integers(times.EARLIEST, times.LATEST - 10**9).map(times.Micros), st.integers(0, 10**9))
def test_seconds_are_added_and_counted(moment: times.Micros, micros: int) -> None:
    end = times.add_seconds(moment, micros / times.SECOND)
    assert end == moment + micros
    assert times.seconds_between(moment, end) == micros / times.SECOND
    assert times.seconds_between(end, moment) == 0


def test_the_first_and_the_last_moment_have_a_text() -> None:
    assert times.render(times.EARLIEST) == "0001-01-01T00:00:00Z"
    assert times.render(times.LATEST) == "9999-12-31T23:59:59.999999Z"


def test_epoch_seconds_are_whole() -> None:
    assert times.epoch_seconds(times.Micros(2 * times.SECOND - 1)) == 1
