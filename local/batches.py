"""What Lambda does with a batch of a stream: in order, again from the lowest that failed, halved, at last given up."""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from local.cloudformation import StreamProperties
from local.invocation import HandlerFailed, Record, created, sequence_number

log = logging.getLogger(__name__)

FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 30.0


@dataclass(frozen=True)
class Batches:
    """Drives the records of a stream through a function, within the bounds of its trigger.

    `failures` invokes it (Function.failures); `pause` waits so many seconds, and may raise to stop the whole.
    """

    failures: Callable[[Sequence[Record]], set[str]]
    bounds: StreamProperties
    pause: Callable[[float], None]
    clock: Callable[[], float] = time.time

    def handle(self, records: Sequence[Record]) -> None:
        """Return when each record is handled or given up."""
        size = self.bounds.batch_size
        for start in range(0, len(records), size):
            self._handle(records[start : start + size])

    def _handle(self, records: Sequence[Record], tries: int = 0) -> None:
        while records := self._young(records):
            left, raised = self._attempt(records)
            if raised and len(left) > 1 and self.bounds.bisect_batch_on_function_error:
                return self._halved(left, tries)
            tries = tries + 1 if len(left) == len(records) else 1
            if left and 0 <= self.bounds.maximum_retry_attempts < tries:
                left, tries = self._given_up(left, raised), 0
            elif left:
                self.pause(min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2 ** (tries - 1)))
            records = left

    def _attempt(self, records: Sequence[Record]) -> tuple[Sequence[Record], bool]:
        """Invoke once; the records from the lowest failed one on, and whether the invocation as a whole failed."""
        try:
            failed = self.failures(records)
        except HandlerFailed as error:
            log.warning("%s", error)
            return records, True
        first = next((index for index, record in enumerate(records) if sequence_number(record) in failed), len(records))
        return records[first:], False

    def _halved(self, records: Sequence[Record], tries: int) -> None:
        middle = len(records) // 2
        self._handle(records[:middle], tries)
        self._handle(records[middle:], tries)

    def _given_up(self, records: Sequence[Record], raised: bool) -> Sequence[Record]:
        """What is left when the lowest failed record is dropped, or all whose invocation failed."""
        lost = len(records) if raised else 1
        for record in records[:lost]:
            log.error("gave up the record %s, tried too often", sequence_number(record))
        return records[lost:]

    def _young(self, records: Sequence[Record]) -> Sequence[Record]:
        limit = self.bounds.maximum_record_age_in_seconds
        if limit < 0:
            return records
        oldest = self.clock() - limit
        for record in records:
            if created(record) < oldest:
                log.error("gave up the record %s, too old", sequence_number(record))
        return [record for record in records if created(record) >= oldest]
