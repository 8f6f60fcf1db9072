"""Events that are sent as one request."""

from dataclasses import dataclass

from jobtrack_client._api.final_statuses import AFTER_THE_END
from jobtrack_client._reporting.events import Event

MAX_EVENTS = 500
MAX_BYTES = 1024 * 1024
_HEAD, _TAIL = b'{"events":[', b"]}"
ROOM = MAX_BYTES - len(_HEAD + _TAIL)
"""Bytes for the events of a batch, with a comma each."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Events that are sent as one request, under one key however often it is tried; a heartbeat needs no key."""

    key: str | None
    events: tuple[Event, ...]

    @property
    def body(self) -> bytes:
        """The request's JSON."""
        return _HEAD + b",".join(event.body for event in self.events) + _TAIL

    @property
    def types(self) -> list[str]:
        """The events' types, in order."""
        return [event.type for event in self.events]

    @property
    def first(self) -> int | None:
        """The number of its first event that the job reported."""
        return next((event.number for event in self.events if event.number), None)

    @property
    def changes_state(self) -> bool:
        """Whether the service takes one of its events only before the job's end, or as its end."""
        return any(event.type not in AFTER_THE_END for event in self.events)
