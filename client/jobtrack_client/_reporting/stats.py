"""Counts of a job's events by type and result."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from jobtrack_client._reporting.queued_events import Event


class Reason(StrEnum):
    """Why an event was dropped."""

    MEMORY = "memory"
    """The buffer was full."""
    REFUSED = "refused"
    """The service refused it."""
    UNDELIVERED = "undelivered"
    """There was no time left to send it."""
    SUPERSEDED = "superseded"
    """A later event replaced it, when the job ended with many events in the buffer."""
    CLOSED = "closed"
    """It was reported after the job's end."""


@dataclass(frozen=True, slots=True)
class Stats:
    """Counts of the worker's events by type. Events that are neither acknowledged nor dropped still wait."""

    reported: Mapping[str, int]
    acknowledged: Mapping[str, int]
    dropped: Mapping[str, int]
    reasons: Mapping[Reason, int]
    """The dropped events by reason."""

    @property
    def waiting(self) -> int:
        """The number of events that still wait."""
        return sum(self.reported.values()) - sum(self.acknowledged.values()) - sum(self.dropped.values())


@dataclass(slots=True)
class Tally:
    """The counters. Events of the client itself, which have no number, are not counted."""

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
        """Return a copy of the counts."""
        return Stats(dict(self.reported), dict(self.acknowledged), dict(self.dropped), dict(self.reasons))
