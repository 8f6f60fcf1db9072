"""How long tries and the waits between them may take."""

from time import monotonic

from jobtrack_client._api.retries import Backoff
from jobtrack_client._reporting.batches import Batch
from jobtrack_client._reporting.buffer import Buffer

CLOSING_WAIT = 2.0
"""Seconds between tries at most, once the job has ended."""
LEAST_WAIT = 0.05
"""Seconds between tries at least, while the time to close runs out."""
LEAST_RESERVE = 0.2
_TRIPS = 4
"""How many requests there is time kept for, since one may take longer than those before."""


class Pace:
    """Backs off while tries fail; once there is a deadline, leaves time for more tries and for the last batch."""

    def __init__(self, buffer: Buffer, backoff: Backoff) -> None:
        self._buffer = buffer
        self._backoff = backoff
        self._tries = 0
        self._trip = 0.0
        """Seconds that a request takes."""

    @property
    def failing(self) -> bool:
        """Whether the last try failed."""
        return self._tries > 0

    @property
    def reserve(self) -> float:
        """Seconds before the deadline from which on no more than the last batch is begun."""
        return min(max(LEAST_RESERVE, _TRIPS * self._trip), self._buffer.closing_seconds / 2)

    @property
    def time(self) -> float | None:
        """Seconds that a try may take, if there is a deadline: a service that hangs must leave time for others."""
        remaining = self._buffer.remaining
        return None if remaining is None else min(remaining, max(remaining / 2, _TRIPS * self._trip))

    def time_for(self, batch: Batch) -> float | None:
        """The same for a try to send this batch: lines must leave time for the last batch."""
        remaining, time = self._buffer.remaining, self.time
        if remaining is None or time is None or batch.changes_state or self._buffer.concluded:
            return time
        return min(time, remaining - self.reserve / _TRIPS)

    def succeeded(self, began: float) -> None:
        """A try that began at this moment (of `monotonic`) succeeded."""
        self._trip = max(monotonic() - began, self._trip / 2)
        self._tries = 0

    def failed(self, asked: float | None) -> float:
        """Seconds before the next try: what the service `asked` for, unless no time to close would be left."""
        self._tries += 1
        remaining = self._buffer.remaining
        if remaining is None:
            return self._backoff.delay(self._tries, asked)
        if asked is not None and (delay := self._backoff.delay(self._tries, asked)) < remaining - self.reserve:
            return delay
        # Tries come closer to each other towards the deadline, for a service that is back just before it.
        return min(self._backoff.delay(self._tries, None, CLOSING_WAIT), max(remaining / 2, LEAST_WAIT))
