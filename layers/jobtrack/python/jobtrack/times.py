"""Points in time, their RFC 3339 texts, and the units that DynamoDB and SQS want.

Inside the service every point in time is an integer number of microseconds since 1970 (UTC), and a duration is a number
of seconds. Times in seconds appear only in TTL attributes, in the timestamps of webhooks, and in the sort keys of
running jobs.
"""

import re
import time
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import NewType

Micros = NewType("Micros", int)
"""A point in time, in microseconds since 1970 (UTC)."""

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

EPOCH = Micros(0)
"""1970-01-01T00:00:00Z: the default of times that are not set."""
EARLIEST = Micros(-62_135_596_800 * SECOND)
"""0001-01-01T00:00:00Z, the earliest supported time."""
LATEST = Micros(253_402_300_800 * SECOND - 1)
"""9999-12-31T23:59:59.999999Z, the latest supported time."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_RFC3339 = re.compile(
    r"(\d{4}-\d\d-\d\d[Tt ](?:[01]\d|2[0-3]):[0-5]\d):([0-5]\d|60)(?:\.(\d+))?([Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)",
    re.ASCII,
)
_CACHED_MINUTES = 1_000
"""Most times of a batch or of a page are within a few minutes."""


def now() -> Micros:
    """Return the current time."""
    return Micros(time.time_ns() // 1000)


def parse(text: str) -> Micros:
    """Read an RFC 3339 time with any offset. Digits after microseconds are dropped; a leap second counts as :59.

    Raises:
        ValueError: the text is not an RFC 3339 time with an offset, or lies outside the years 1 to 9999.
    """
    match = _RFC3339.fullmatch(text)
    if match is None:
        raise ValueError("must be an RFC 3339 time with an offset, such as 2024-01-20T10:30:00Z")
    minute, second, fraction, offset = match.groups()
    micros = (fraction or "")[:6].ljust(6, "0")
    return Micros(_parse_minute(minute, offset) + min(int(second), 59) * SECOND + int(micros))


@lru_cache(_CACHED_MINUTES)
def _parse_minute(text: str, offset: str) -> int:
    try:
        minute = datetime.fromisoformat(text + ("+00:00" if offset in "Zz" else offset)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise ValueError("is not a time between the years 1 and 9999") from error
    return (minute - _EPOCH) // _MICROSECOND


def render(moment: Micros) -> str:
    """Write a point in time as RFC 3339 in UTC with `Z`. Whole seconds have no fraction."""
    minute, rest = divmod(moment, MINUTE)
    second, micros = divmod(rest, SECOND)
    fraction = f".{micros:06d}".rstrip("0") if micros else ""
    return f"{_render_minute(minute)}:{second:02d}{fraction}Z"


@lru_cache(_CACHED_MINUTES)
def _render_minute(minute: int) -> str:
    return (_EPOCH + timedelta(minutes=minute)).isoformat()[:16]


def render_optional(moment: Micros | None) -> str | None:
    """Return the RFC 3339 text of a point in time, or `None` for `None`."""
    return None if moment is None else render(moment)


def whole(moment: Micros) -> Micros:
    """Round a point in time down to its second."""
    return Micros(moment - moment % SECOND)


def add_seconds(moment: Micros, seconds: float) -> Micros:
    """Return the point in time that is `seconds` later."""
    return Micros(moment + round(seconds * SECOND))


def seconds_between(start: Micros, end: Micros) -> float:
    """Return the seconds from start to end; 0 if the end is earlier, as when the clocks of two machines differ."""
    return max(0, end - start) / SECOND


def epoch_seconds(moment: Micros) -> int:
    """Return whole seconds since 1970: the unit of DynamoDB's TTL attribute."""
    return moment // SECOND
