"""Lambda's rules for the records of a shard: retry in order from the first failure, split batches, and finally discard.

https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Literal

from jobtrack import times
from jobtrack.times import Micros
from jobtrack_local.runtime.events import Record, created_at, sequence_number
from jobtrack_local.template.cloudformation import StreamProperties

FIRST_DELAY_SECONDS = 0.5
LONGEST_DELAY_SECONDS = 30.0

Condition = Literal["RetryAttemptsExhausted", "RecordAgeExceeded"]


@dataclass(frozen=True)
class Batch:
    """Records for one call of the function; `attempts` counts the failed attempts of its first record.

    The batch waits until `due`.
    """

    records: Sequence[Record]
    attempts: int = 0
    due: Micros = times.EPOCH

    def is_due(self, now: Micros) -> bool:
        """Return whether the batch is due.

        If it would wait longer than any delay, the clock was set back and it is due.
        """
        return not 0 < times.seconds_between(now, self.due) <= LONGEST_DELAY_SECONDS


@dataclass(frozen=True)
class Discarded:
    """Records that are discarded, and why."""

    records: Sequence[Record]
    condition: Condition
    attempts: int


@dataclass(frozen=True)
class Outcome:
    """The records to discard, and the batches still to do, in order."""

    discarded: Discarded | None = None
    remaining: Sequence[Batch] = ()


def split_into_batches(records: Sequence[Record], trigger: StreamProperties) -> Iterator[Batch]:
    """Split the records by the batch size."""
    size = trigger.batch_size
    return (Batch(records[start : start + size]) for start in range(0, len(records), size))


def discard_expired(batch: Batch, trigger: StreamProperties, now: Micros) -> Outcome:
    """Before an attempt, discard the records that are too old. The oldest are at the start of the batch."""
    limit = trigger.maximum_record_age_in_seconds
    if limit < 0:
        return Outcome(remaining=[batch])
    expired = takewhile(lambda record: times.seconds_between(created_at(record), now) > limit, batch.records)
    count = len(list(expired))
    if not count:
        return Outcome(remaining=[batch])
    rest = batch.records[count:]
    discarded = Discarded(batch.records[:count], "RecordAgeExceeded", batch.attempts)
    return Outcome(discarded, [Batch(rest)] if rest else [])


def plan_retry(batch: Batch, failed: Collection[str] | None, trigger: StreamProperties, now: Micros) -> Outcome:
    """After an attempt, return what to discard and what to retry.

    `failed` holds the sequence numbers that the function reported; None means that the whole call failed. Splitting a
    batch uses up no attempt. Attempts are counted for the first record of the batch: if the first failure is at a later
    record, the count starts again. When the attempts are used up, all remaining records of the batch are discarded.
    """
    numbers = [sequence_number(record) for record in batch.records]
    first = 0 if failed is None else next((at for at, number in enumerate(numbers) if number in failed), len(numbers))
    rest = batch.records[first:]
    if not rest:
        return Outcome()
    if failed is None and len(rest) > 1 and trigger.bisect_batch_on_function_error:
        return Outcome(remaining=_halves(batch, now))
    attempts = 1 if first else batch.attempts + 1
    if 0 <= trigger.maximum_retry_attempts < attempts:
        return Outcome(Discarded(rest, "RetryAttemptsExhausted", attempts))
    return Outcome(remaining=[Batch(rest, attempts, times.add_seconds(now, _delay(attempts)))])


def _halves(batch: Batch, now: Micros) -> list[Batch]:
    middle = len(batch.records) // 2
    return [Batch(half, batch.attempts, now) for half in (batch.records[:middle], batch.records[middle:])]


def _delay(attempts: int) -> float:
    """Return the seconds until the next attempt. AWS documents only that the delay grows with each attempt."""
    return float(min(LONGEST_DELAY_SECONDS, FIRST_DELAY_SECONDS * 2 ** min(attempts - 1, 10)))
