"""Moments as integer microseconds since 1970 (UTC), and their RFC 3339 texts."""

import re
import time
from datetime import UTC, datetime, timedelta

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_RFC3339 = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt ]([01]\d|2[0-3]):([0-5]\d):([0-5]\d|60)(?:\.(\d+))?([Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)",
    re.ASCII,
)


def now() -> int:
    """The present moment, in microseconds since 1970."""
    return time.time_ns() // 1000


def parse(text: str) -> int:
    """Read an RFC 3339 time with any offset; digits beyond microseconds are cut off, a leap second counts as :59.

    Raises:
        ValueError: the text is no RFC 3339 time, has no offset, or lies outside the years 1 to 9999.
    """
    match = _RFC3339.fullmatch(text)
    if match is None:
        raise ValueError("must be an RFC 3339 time with an offset, such as 2024-01-20T10:30:00Z")
    day, hour, minute, second, fraction, offset = match.groups()
    offset = "+00:00" if offset in "Zz" else offset
    second = "59" if second == "60" else second
    micros = (fraction or "")[:6].ljust(6, "0")
    try:
        moment = datetime.fromisoformat(f"{day}T{hour}:{minute}:{second}.{micros}{offset}").astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise ValueError("is not a time between the years 1 and 9999") from error
    return (moment - _EPOCH) // _MICROSECOND


def render(moment: int) -> str:
    """Write a moment as RFC 3339 in UTC with `Z`: whole seconds without a fraction, others in full."""
    text = (_EPOCH + timedelta(microseconds=moment)).isoformat()
    return text.removesuffix("+00:00").rstrip("0").rstrip(".") + "Z" if moment % SECOND else text[:19] + "Z"


def whole(moment: int) -> int:
    """The moment cut down to its second."""
    return moment - moment % SECOND


def render_optional(moment: int | None) -> str | None:
    """Return the RFC 3339 text of a moment, or None for None."""
    return None if moment is None else render(moment)
