"""Decides when a silent job must send a heartbeat, so that it is not marked as stalled."""

from collections.abc import Callable
from math import inf
from time import monotonic

from jobtrack_client._reporting.batches import Batch
from jobtrack_client._reporting.queued_events import Event, Rank

DEFAULT_SECONDS = 300
"""The default of a job's `heartbeatSeconds`."""
LONGEST_SILENCE = 100.0
BATCH = Batch(None, (Event("heartbeat", Rank.ROUTINE, b'{"type":"heartbeat"}'),))
"""It has no key. Storing it twice is harmless, and a key would cost the service another write."""


def silence(heartbeat_seconds: float | None) -> float | None:
    """Return the longest silence of a job: a third of the interval, so that one heartbeat may fail; None: no limit."""
    if heartbeat_seconds is None or heartbeat_seconds <= 0:
        return None
    return min(LONGEST_SILENCE, heartbeat_seconds / 3)


class Heartbeat:
    """Measures the time since the service last accepted an event."""

    def __init__(self, seconds: float | None, clock: Callable[[], float] = monotonic) -> None:
        self._seconds = inf if seconds is None else seconds
        self._clock = clock
        self._last = clock()

    @property
    def due_in(self) -> float:
        """The seconds until a heartbeat must be sent."""
        return max(0.0, self._last + self._seconds - self._clock())

    def sent(self) -> None:
        """Restart the interval: the service has accepted an event, or needs no heartbeat now."""
        self._last = self._clock()

    def stop(self) -> None:
        """Send no more heartbeats."""
        self._seconds = inf
