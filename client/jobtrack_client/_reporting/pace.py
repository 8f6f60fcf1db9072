"""The time for attempts and the delays between them, when there may be a deadline."""

from time import monotonic

from jobtrack_client._api.retries import Backoff
from jobtrack_client._reporting.batches import Batch
from jobtrack_client._reporting.buffer import Buffer

CLOSING_WAIT = 2.0
"""The longest delay between attempts, once the job has ended."""
LEAST_WAIT = 0.05
"""The shortest delay between attempts before the deadline."""
LEAST_RESERVE = 0.2
_TRIPS = 4
"""The time of this many requests is reserved, because one may take longer than the previous ones."""


class Pace:
    """Increases the delay while attempts fail. When there is a deadline, it leaves time for the last batch."""

    def __init__(self, buffer: Buffer, backoff: Backoff) -> None:
        self._buffer = buffer
        self._backoff = backoff
        self._attempts = 0
        self._trip = 0.0
        """The seconds that a request takes."""

    @property
    def failing(self) -> bool:
        """Whether the last attempt failed."""
        return self._attempts > 0

    @property
    def reserve(self) -> float:
        """The seconds before the deadline that are reserved for the last batch."""
        return min(max(LEAST_RESERVE, _TRIPS * self._trip), self._buffer.closing_seconds / 2)

    @property
    def time(self) -> float | None:
        """The seconds for an attempt. If the service hangs, time remains for other attempts before the deadline."""
        remaining = self._buffer.remaining
        return None if remaining is None else min(remaining, max(remaining / 2, _TRIPS * self._trip))

    def time_for(self, batch: Batch) -> float | None:
        """Return the seconds for an attempt to send this batch. Log lines must leave time for the last batch."""
        remaining, time = self._buffer.remaining, self.time
        if remaining is None or time is None or batch.changes_state or self._buffer.concluded:
            return time
        return min(time, remaining - self.reserve / _TRIPS)

    def succeeded(self, began: float) -> None:
        """Note that an attempt that began at this time (of `monotonic`) succeeded."""
        self._trip = max(monotonic() - began, self._trip / 2)
        self._attempts = 0

    def failed(self, asked: float | None) -> float:
        """Return the delay before the next attempt: the service's `asked` delay, if it leaves time to close."""
        self._attempts += 1
        remaining = self._buffer.remaining
        if remaining is None:
            return self._backoff.delay(self._attempts, asked)
        if asked is not None and (delay := self._backoff.delay(self._attempts, asked)) < remaining - self.reserve:
            return delay
        # Attempts become more frequent towards the deadline, for a service that recovers just before it.
        return min(self._backoff.delay(self._attempts, None, CLOSING_WAIT), max(remaining / 2, LEAST_WAIT))
