"""What became of the events of a job, by type."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from jobtrack_client._reporting.queued_events import Event


class Reason(StrEnum):
    """Why an event was dropped."""

    MEMORY = "memory"
    """There was no room left to wait in."""
    REFUSED = "refused"
    """The service refused it."""
    UNDELIVERED = "undelivered"
    """The time to close was over."""
    SUPERSEDED = "superseded"
    """A later event replaced it, when the job ended with many events waiting."""
    CLOSED = "closed"
    """It was reported after the end."""


@dataclass(frozen=True, slots=True)
class Stats:
    """Counts of the worker's events by type; what was reported and is neither acknowledged nor dropped still waits."""

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
    """The counters behind the stats. The client's own events, which have no number, are not counted."""

    reported: Counter[str] = field(default_factory=Counter)
    acknowledged: Counter[str] = field(default_factory=Counter)
    dropped: Counter[str] = field(default_factory=Counter)
    reasons: Counter[Reason] = field(default_factory=Counter)

    def acknowledge(self, events: Sequence[Event]) -> None:
        """Count events that the service has stored."""
        self.acknowledged.update(event.type for event in events if event.number)

    def drop(self, events: Sequence[Event], reason: Reason) -> None:
        """Count events that will not be sent."""
        if types := [event.type for event in events if event.number]:
            self.dropped.update(types)
            self.reasons[reason] += len(types)

    def stats(self) -> Stats:
        """A copy."""
        return Stats(dict(self.reported), dict(self.acknowledged), dict(self.dropped), dict(self.reasons))
