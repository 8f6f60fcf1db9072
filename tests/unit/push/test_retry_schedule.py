"""When a message is retried."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobtrack import times
from jobtrack.push.delivery.retry_schedule import next_attempt, retry_after_seconds
from jobtrack.push.messages.delivery_queue import MAX_DELAY_SECONDS, delay_seconds
from jobtrack.times import Micros, add_seconds, seconds_between

HOUR = 3600.0


NOW = times.parse("2023-11-14T22:13:20Z")
MOMENTS = st.integers(0, 2 * 10**15).map(Micros)


def after(seconds: float) -> Micros:
    return add_seconds(NOW, seconds)


def attempts(first_at: Micros, expires_at: Micros, random: float) -> list[Micros]:
    """Return the times of all attempts of a message that is never accepted; attempts take no time."""
    moments = [first_at]
    while (at := next_attempt(len(moments), moments[-1], first_at, expires_at, random)) is not None:
        moments.append(at)
    return moments


def test_the_contracts_schedule() -> None:
    moments = attempts(NOW, after(10 * 24 * HOUR), 0.5)
    delays = [seconds_between(earlier, later) for earlier, later in pairwise(moments)]
    assert delays == [5, 30, 120, 600, 1800, 3600] + [7200] * 11
    assert moments[-1] < after(24 * HOUR)


@given(MOMENTS, st.integers(0, 604_800), st.floats(0, 1))
def test_never_after_expiry_nor_after_a_day(first_at: Micros, lifetime: int, random: float) -> None:
    moments = attempts(first_at, add_seconds(first_at, lifetime), random)
    assert all(at < add_seconds(first_at, min(lifetime, 24 * HOUR)) for at in moments[1:])
    assert moments == sorted(moments)


@given(st.integers(1, 30), st.floats(0, 1))
def test_jitter_is_at_most_a_fifth(failed: int, random: float) -> None:
    at = next_attempt(failed, NOW, NOW, times.LATEST, random)
    plain = next_attempt(failed, NOW, NOW, times.LATEST, 0.5)
    assert at is not None
    assert plain is not None
    assert abs(at - plain) <= 0.2 * (plain - NOW) + 1


def test_the_receivers_own_wish_is_honoured_but_never_shortens_the_schedule() -> None:
    assert next_attempt(1, NOW, NOW, times.LATEST, 0.5, retry_after=3600) == after(3600)
    assert next_attempt(3, NOW, NOW, times.LATEST, 0.5, retry_after=1) == after(120)
    assert next_attempt(1, NOW, NOW, times.LATEST, 0.5, retry_after=25 * HOUR) is None


@given(MOMENTS, st.floats(0, 24 * HOUR))
def test_hops_lead_to_the_time_and_not_before_it(now: Micros, wait: float) -> None:
    at, hops = add_seconds(now, wait), 0
    while delay := delay_seconds(at, now):
        assert 0 < delay <= MAX_DELAY_SECONDS
        now, hops = add_seconds(now, delay), hops + 1
    assert at <= now < at + times.SECOND
    assert hops <= wait // MAX_DELAY_SECONDS + 1


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("120", 120),
        (" 0 ", 0),
        ("Tue, 14 Nov 2023 22:14:20 GMT", 60),
        ("Tue, 14 Nov 2023 23:14:20 +0100", 60),
        ("Tuesday, 14-Nov-23 22:14:20 GMT", 60),
        ("Tue, 14 Nov 2023 22:00:00 GMT", 0),
        ("9" * 30, 9_999_999_999),
        (None, None),
        ("", None),
        ("-5", None),
        ("1.5", None),
        ("soon", None),
        ("٣", None),
        ("Tue, 99 Nov 2023 22:14:20 GMT", None),
        ("Tue Nov 14 22:14:20 2023", 60),
        ("Mon, 01 Jan 99999999999 00:00:00 GMT", None),
        ("Mon, 01 Jan 10000 00:00:00 GMT", None),
        ("Mon, 01 Jan 0000 00:00:00 GMT", 0),
    ],
)
def test_retry_after_in_seconds_or_as_a_date(header: str | None, seconds: float | None) -> None:
    assert retry_after_seconds(header, NOW) == seconds


NUMBERS = st.one_of(st.integers(0, 99), st.integers(-(10**25), 10**25)).map(str)
ZONES = st.one_of(st.just("GMT"), st.from_regex(r"[+-][0-9]{1,20}", fullmatch=True), st.text(max_size=4))
DATES = st.builds(
    "{}{}, {}{}{}{}{} {}:{}:{} {}".format,
    st.sampled_from(["Mon", "Monday", ""]),
    st.sampled_from(["", ","]),
    NUMBERS,
    st.sampled_from([" ", "-", ""]),
    st.sampled_from(["Jan", "Nov", "Foo", "13"]),
    st.sampled_from([" ", "-"]),
    NUMBERS,
    NUMBERS,
    NUMBERS,
    NUMBERS,
    ZONES,
)


@given(st.one_of(st.text(max_size=60), DATES))
def test_no_header_breaks_it(header: str) -> None:
    seconds = retry_after_seconds(header, NOW)
    assert seconds is None or 0 <= seconds < 1e12
