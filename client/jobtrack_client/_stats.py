"""What became of the events of a job, by type."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from jobtrack_client._events import Event


class Reason(StrEnum):
    """Why an event was dropped."""

    MEMORY = "memory"
    """There was no room left to wait in."""
    REFUSED = "refused"
    """The service refused it."""
    UNDELIVERED = "undelivered"
    """The time to close was over."""
    CLOSED = "closed"
    """It was reported after the end."""


@dataclass(frozen=True, slots=True)
class Stats:
    """Counts of events by type; what was reported and is neither acknowledged nor dropped still waits."""

    reported: Mapping[str, int]
    acknowledged: Mapping[str, int]
    dropped: Mapping[str, int]
    reasons: Mapping[Reason, int]
    """The dropped ones by reason."""

    @property
    def waiting(self) -> int:
        """Events that are not settled yet."""
        return sum(self.reported.values()) - sum(self.acknowledged.values()) - sum(self.dropped.values())


@dataclass(slots=True)
class Tally:
    """The counters behind the stats."""

    reported: Counter[str] = field(default_factory=Counter)
    acknowledged: Counter[str] = field(default_factory=Counter)
    dropped: Counter[str] = field(default_factory=Counter)
    reasons: Counter[Reason] = field(default_factory=Counter)

    def drop(self, events: Sequence[Event], reason: Reason) -> None:
        """Count events that will not be sent."""
        self.dropped.update(event.type for event in events)
        self.reasons[reason] += len(events)

    def stats(self) -> Stats:
        """A copy."""
        return Stats(dict(self.reported), dict(self.acknowledged), dict(self.dropped), dict(self.reasons))
