"""What Lambda does with a shard's records: in order, again from the lowest that failed, halved, at last given up."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Literal

from jobtrack_local.pumps.invocation import Record, created, sequence_number
from jobtrack_local.template.cloudformation import StreamProperties

FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 30.0

Condition = Literal["RetryAttemptsExhausted", "RecordAgeExceeded"]


@dataclass(frozen=True)
class Part:
    """Records that are tried together from `due` on (epoch seconds), and how often the first of them was in vain."""

    records: Sequence[Record]
    tries: int = 0
    due: float = 0.0


@dataclass(frozen=True)
class Lost:
    """Records that are given up, and why."""

    records: Sequence[Record]
    condition: Condition
    tries: int


@dataclass(frozen=True)
class Outcome:
    """What is given up, and what is still to do, in its order."""

    lost: Lost | None = None
    left: Sequence[Part] = ()


def batches(records: Sequence[Record], bounds: StreamProperties) -> Iterator[Part]:
    """The records in portions that the function takes."""
    size = bounds.batch_size
    return (Part(records[start : start + size]) for start in range(0, len(records), size))


def aged(part: Part, bounds: StreamProperties, now: float) -> Outcome:
    """Before a try: give up what is too old. The oldest come first, so it is the beginning of the part."""
    limit = bounds.maximum_record_age_in_seconds
    old = 0 if limit < 0 else len(list(takewhile(lambda each: now - created(each) > limit, part.records)))
    if not old:
        return Outcome(left=[part])
    young = part.records[old:]
    return Outcome(Lost(part.records[:old], "RecordAgeExceeded", part.tries), [Part(young)] if young else [])


def tried(part: Part, failed: Collection[str] | None, bounds: StreamProperties, now: float) -> Outcome:
    """After a try; `failed` holds the sequence numbers that the function named, None is the whole invocation.

    Halving takes nothing from the retries. They are counted for the record from which to go on: a part that got further
    begins anew. When they are used up, all that was to come again is given up, not the first record alone.
    """
    numbers = [sequence_number(record) for record in part.records]
    lowest = 0 if failed is None else next((at for at, number in enumerate(numbers) if number in failed), len(numbers))
    left = part.records[lowest:]
    if not left:
        return Outcome()
    if failed is None and len(left) > 1 and bounds.bisect_batch_on_function_error:
        return Outcome(left=_halves(part, now))
    tries = 1 if lowest else part.tries + 1
    if 0 <= bounds.maximum_retry_attempts < tries:
        return Outcome(Lost(left, "RetryAttemptsExhausted", tries))
    return Outcome(left=[Part(left, tries, now + _pause(tries))])


def _halves(part: Part, now: float) -> list[Part]:
    middle = len(part.records) // 2
    return [Part(half, part.tries, now) for half in (part.records[:middle], part.records[middle:])]


def _pause(tries: int) -> float:
    """AWS says only that it waits longer each time."""
    return float(min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2 ** min(tries - 1, 10)))
