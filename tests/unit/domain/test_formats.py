"""Human-readable values in the contract's formats."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobtrack import times
from jobtrack.domain import formats
from jobtrack.times import Micros

KIB, MIB, GIB = 1024, 1024**2, 1024**3


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (933, "15 minutes 33 seconds"),
        (3661, "1 hour 1 minute 1 second"),
        (0, "0 seconds"),
        (0.999, "0 seconds"),
        (1, "1 second"),
        (59.999, "59 seconds"),
        (60, "1 minute"),
        (3600, "1 hour"),
        (3601, "1 hour 1 second"),
        (7200, "2 hours"),
        (90_000, "25 hours"),
        (-5, "0 seconds"),
    ],
)
def test_durations(seconds: float, told: str) -> None:
    assert formats.duration(seconds) == told


@given(st.integers(0, 10**9))
def test_a_duration_tells_every_second(seconds: int) -> None:
    sizes = {"hour": 3600, "minute": 60, "second": 1}
    words = formats.duration(seconds).split()
    parts = list(zip(words[::2], words[1::2], strict=True))
    assert sum(int(count) * sizes[unit.removesuffix("s")] for count, unit in parts) == seconds
    assert all((count == "1") != unit.endswith("s") for count, unit in parts)


@pytest.mark.parametrize(
    ("count", "told"),
    [
        (0, "0 B"),
        (1, "1 B"),
        (1023, "1023 B"),
        (KIB, "1 KB"),
        (1536, "1.5 KB"),
        (1023.94 * KIB, "1023.9 KB"),
        (1023.96 * KIB, "1 MB"),
        (45.7 * MIB, "45.7 MB"),
        (890 * MIB, "890 MB"),
        (12 * MIB, "12 MB"),
        (1023.94 * MIB, "1023.9 MB"),
        (1023.95 * MIB, "1.0 GB"),
        (GIB - 1, "1.0 GB"),
        (2.3 * GIB, "2.3 GB"),
        (4 * GIB, "4.0 GB"),
        (1023.99 * GIB, "1.0 TB"),
        (2**53, "8.0 PB"),
        (2**62, "4096.0 PB"),
    ],
)
def test_sizes_are_binary(count: float, told: str) -> None:
    assert formats.size(count) == told


@given(st.integers(0, 2**62))
def test_a_size_is_right_to_its_last_decimal(count: int) -> None:
    told, unit = formats.size(count).split()
    size = 1024 ** ["B", "KB", "MB", "GB", "TB", "PB"].index(unit)
    assert abs(float(told) - count / size) <= 0.05 + 1e-9
    assert float(told) < 1024 or unit == "PB"
    assert ("." in told) or unit in ("B", "KB", "MB")


@pytest.mark.parametrize(
    ("value", "told"), [(1250, "1250 records/second"), (1428.5, "1428 records/second"), (0.4, "0 records/second")]
)
def test_rates_are_whole(value: float, told: str) -> None:
    assert formats.rate(value) == told


@pytest.mark.parametrize(
    ("value", "shown"), [(67.0, "67"), (94.8, "94.8"), (5.75, "5.75"), (0.0, "0"), (1 / 3, "0.33")]
)
def test_numbers_have_no_needless_decimals(value: float, shown: str) -> None:
    assert repr(formats.number(value)) == shown


def test_between_moments_lie_whole_seconds_and_never_fewer_than_none() -> None:
    assert formats.whole_seconds_between(Micros(0), Micros(2 * times.SECOND - 1)) == 1
    assert formats.whole_seconds_between(Micros(times.SECOND), Micros(0)) == 0
