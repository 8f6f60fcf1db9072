"""When a message that could not be delivered is tried again; all times in epoch seconds."""

import math
from datetime import UTC
from email.utils import parsedate_to_datetime

FIRST_DELAYS = (5, 30, 120, 600, 1800, 3600)
LATER_DELAY = 7200
JITTER = 0.2
RETRY_SECONDS = 24 * 3600
END_ATTEMPTS = 3
END_SECONDS = 300
"""How often, and for how long, a receiver is told that its subscription has ended."""
FIRST_WAIT = 2.0
LONGEST_WAIT = 300.0
"""How long a message waits for its endpoint to be free: twice as long each time."""
LONGEST_SPREAD = 60.0
"""Over how long those come back that waited for a breaker."""


def next_attempt(
    failed: int, now: float, first_at: float, expires_at: float, random: float, retry_after: float | None = None
) -> float | None:
    """When to try again after `failed` (1…) attempts in vain, or None when the contract's time for it is over.

    `random` (0 to 1) spreads the delay by ±20 %; `retry_after` is what the receiver asked for, in seconds.
    """
    delay = max(_delay(failed) * (1 + JITTER * (2 * random - 1)), retry_after or 0)
    at = now + delay
    return at if at < min(first_at + RETRY_SECONDS, expires_at) else None


def next_end_attempt(
    failed: int, now: float, first_at: float, random: float, retry_after: float | None = None
) -> float | None:
    """The same for the message that tells of a subscription's end: three tries, within five minutes."""
    if failed >= END_ATTEMPTS:
        return None
    return next_attempt(failed, now, first_at, first_at + END_SECONDS, random, retry_after)


def _delay(failed: int) -> int:
    return FIRST_DELAYS[failed - 1] if failed <= len(FIRST_DELAYS) else LATER_DELAY


def next_look(waits: int, now: float, random: float) -> float:
    """When a message that has waited so often (0…) for its endpoint to be free looks again; `random` spreads it."""
    return now + min(math.ldexp(FIRST_WAIT, min(waits, 10)), LONGEST_WAIT) * (0.5 + random)


def back_after(until: float, waits: int, random: float) -> float:
    """When a message comes back that found the breaker open until a time: soon after, but not all at once."""
    return until + min(math.ldexp(FIRST_WAIT, min(waits, 10)), LONGEST_SPREAD) * random


def retry_after_seconds(header: str | None, now: float) -> float | None:
    """The seconds that a Retry-After header asks for, directly or as an HTTP date; None if it cannot be parsed."""
    text = (header or "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:10])
    try:
        moment = parsedate_to_datetime(text)
        return max(0.0, moment.replace(tzinfo=moment.tzinfo or UTC).timestamp() - now)
    except Exception:  # it raises more than ValueError for foreign text: OverflowError for the year 99999999999
        return None
