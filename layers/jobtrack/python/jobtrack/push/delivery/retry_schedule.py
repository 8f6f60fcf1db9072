"""The retry schedule of a message."""

import math
from datetime import UTC
from email.utils import parsedate_to_datetime

from jobtrack import times
from jobtrack.times import Micros

FIRST_DELAY_SECONDS = (5, 30, 120, 600, 1800, 3600)
LATER_DELAY_SECONDS = 7200
JITTER = 0.2
RETRY_SECONDS = 24 * 3600
"""How long after its first attempt a message is retried."""
END_ATTEMPTS = 3
END_SECONDS = 300
"""How often, and for how long, the message about a subscription's end is attempted."""
FIRST_WAIT_SECONDS = 2.0
LONGEST_WAIT_SECONDS = 300.0
"""How long a message waits for a free lease of its endpoint: twice as long each time."""
LONGEST_SPREAD_SECONDS = 60.0
"""The messages that waited for an open breaker return within this time, not all at once."""


def next_attempt(
    failed: int, now: Micros, first_at: Micros, expires_at: Micros, random: float, retry_after: float | None = None
) -> Micros | None:
    """Return when to retry after `failed` (1…) attempts, or None if that would be too late.

    `random` (0 to 1) spreads the delay by ±20 %; `retry_after` are the seconds that the receiver asked for.
    """
    delay = max(_delay(failed) * (1 + JITTER * (2 * random - 1)), retry_after or 0)
    at = times.add_seconds(now, delay)
    return at if at < min(times.add_seconds(first_at, RETRY_SECONDS), expires_at) else None


def next_end_attempt(
    failed: int, now: Micros, first_at: Micros, random: float, retry_after: float | None = None
) -> Micros | None:
    """Return when to retry the message about a subscription's end, or None after three attempts or five minutes."""
    if failed >= END_ATTEMPTS:
        return None
    return next_attempt(failed, now, first_at, times.add_seconds(first_at, END_SECONDS), random, retry_after)


def _delay(failed: int) -> int:
    return FIRST_DELAY_SECONDS[failed - 1] if failed <= len(FIRST_DELAY_SECONDS) else LATER_DELAY_SECONDS


def next_lease_check(waits: int, now: Micros, random: float) -> Micros:
    """Return when a message checks for a lease again, after waiting `waits` (0…) times. `random` spreads the time."""
    return times.add_seconds(now, _wait_seconds(waits, LONGEST_WAIT_SECONDS) * (0.5 + random))


def next_breaker_check(until: Micros, waits: int, random: float) -> Micros:
    """Return when a message checks an open breaker again: soon after `until`. `random` spreads the time."""
    return times.add_seconds(until, _wait_seconds(waits, LONGEST_SPREAD_SECONDS) * random)


def _wait_seconds(waits: int, longest: float) -> float:
    return min(math.ldexp(FIRST_WAIT_SECONDS, min(waits, 10)), longest)


def retry_after_seconds(header: str | None, now: Micros) -> float | None:
    """Return the seconds of a Retry-After header, which may be an HTTP date; None if it cannot be parsed."""
    text = (header or "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:10])
    try:
        date = parsedate_to_datetime(text)
        return max(0.0, date.replace(tzinfo=date.tzinfo or UTC).timestamp() - now / times.SECOND)
    except Exception:  # not only ValueError: the year 99999999999 raises OverflowError
        return None
