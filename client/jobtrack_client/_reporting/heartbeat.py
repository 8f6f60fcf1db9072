"""When a job that reports nothing must report that its worker lives, so that it is not marked as stalled."""

from collections.abc import Callable
from math import inf
from time import monotonic

from jobtrack_client._reporting.batches import Batch
from jobtrack_client._reporting.queued_events import Event, Rank

DEFAULT_SECONDS = 300
"""`heartbeatSeconds` of a job that says nothing else."""
LONGEST_SILENCE = 100.0
BATCH = Batch(None, (Event("heartbeat", Rank.ROUTINE, b'{"type":"heartbeat"}'),))
"""Without a key: to apply it twice does no harm, and to remember a key would cost the service another write."""


def silence(heartbeat_seconds: float | None) -> float | None:
    """How long such a job may send nothing: a third of its interval, so that one heartbeat may fail; None: for ever."""
    if heartbeat_seconds is None or heartbeat_seconds <= 0:
        return None
    return min(LONGEST_SILENCE, heartbeat_seconds / 3)


class Heartbeat:
    """Measures the silence since the service last accepted something."""

    def __init__(self, seconds: float | None, clock: Callable[[], float] = monotonic) -> None:
        self._seconds = inf if seconds is None else seconds
        self._clock = clock
        self._last = clock()

    @property
    def due_in(self) -> float:
        """Seconds until a heartbeat must be sent."""
        return max(0.0, self._last + self._seconds - self._clock())

    def sent(self) -> None:
        """The service has accepted something, or wants no heartbeat for now."""
        self._last = self._clock()

    def stop(self) -> None:
        """No heartbeat is needed any more."""
        self._seconds = inf
