"""Batches: events that are sent as one request, in the order in which they are sent."""

import json
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from jobtrack_client._reporting.event_queue import EventQueue
from jobtrack_client._reporting.queued_events import Event
from jobtrack_client.types.events import ALLOWED_AFTER_THE_END

MAX_EVENTS = 500
MAX_BYTES = 1024 * 1024
_HEAD, _TAIL = b'{"events":[', b"]}"
ROOM = MAX_BYTES - len(_HEAD + _TAIL)
"""The bytes for the events of a batch, with a comma for each."""

_EVENTS, _BYTES = MAX_EVENTS - 1, ROOM - 1024
"""The events and bytes of a batch that also holds a note."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Events that are sent as one request. All attempts use the same key. A heartbeat needs no key."""

    key: str | None
    events: tuple[Event, ...]

    @property
    def body(self) -> bytes:
        """The JSON of the request."""
        return _HEAD + b",".join(event.body for event in self.events) + _TAIL

    @property
    def types(self) -> list[str]:
        """The types of the events, in order."""
        return [event.type for event in self.events]

    @property
    def first(self) -> int | None:
        """The number of the first event that the job itself reported."""
        return next((event.number for event in self.events if event.number), None)

    @property
    def changes_state(self) -> bool:
        """Whether it has an event that the service does not accept after the job's end."""
        return any(event.type not in ALLOWED_AFTER_THE_END for event in self.events)


class PendingBatches:
    """Waiting events: batches, then single events. At the job's end, changes of its state go first.

    This is not safe for use by several threads.
    """

    def __init__(self, queue: EventQueue, key: Callable[[], str]) -> None:
        self.queue = queue
        self.note: Event | None = None
        """An event of the client itself, which goes first in the next batch that is made."""
        self._key = key
        self._batches: deque[Batch] = deque()

    @property
    def next(self) -> Batch | None:
        """The batch that is sent next, if there is one."""
        return self._batches[0] if self._batches else None

    @property
    def oldest(self) -> int | None:
        """The lowest number of a waiting event."""
        first = self.queue.first()
        numbers = [batch.first for batch in self._batches] + [first.number if first else None]
        return min((number for number in numbers if number is not None), default=None)

    def add(self, events: Sequence[Event]) -> None:
        """Append a batch of the note and these events, if there are any."""
        if batch := (*(() if self.note is None else (self.note,)), *events):
            self._batches.append(Batch(self._key(), batch))
            self.note = None

    def settle(self, *parts: tuple[Event, ...]) -> None:
        """Replace the first batch by its parts, each with a new key."""
        self._batches.popleft()
        self._batches.extendleft(Batch(self._key(), part) for part in reversed(parts) if part)

    def put_state_first(self, *, always: bool) -> list[Event]:
        """Move the events that change the job's state to the front, if more than one batch waits, or `always`.

        Existing batches keep their keys and events, because the service may have stored them. If the state-changing
        events fill more than a batch, events that a later one replaces are dropped and returned.
        """
        if self.queue.fits(_EVENTS, _BYTES) and not always:
            return []
        replaced: list[Event] = []
        state = self.queue.take_state()
        if len(state) > _EVENTS:
            state, replaced = _without_replaced(state)
        late = [batch for batch in self._batches if not batch.changes_state]
        self._batches = deque(batch for batch in self._batches if batch.changes_state)
        for events in _cut(state):
            self.add(events)
        self._batches.extend(late)
        return replaced

    def keep_newest(self) -> list[Event]:
        """Keep the newest single events that fit into one batch with a note. Return the older events."""
        return self.queue.keep_newest(_EVENTS, _BYTES)


def _cut(events: list[Event]) -> Iterator[list[Event]]:
    """Split events into parts, each of which fits into a batch with a note."""
    part: list[Event] = []
    room = _BYTES
    for event in events:
        room -= len(event.body) + 1
        if part and (room < 0 or len(part) == _EVENTS):
            yield part
            part, room = [], _BYTES - len(event.body) - 1
        part.append(event)
    if part:
        yield part


def _without_replaced(events: list[Event]) -> tuple[list[Event], list[Event]]:
    """Return the events that no later event replaces, and the replaced events."""
    subjects = [_subject(event) for event in events]
    last = {subject: index for index, subject in enumerate(subjects) if subject is not None}
    current: list[Event] = []
    replaced: list[Event] = []
    for index, (event, subject) in enumerate(zip(events, subjects, strict=True)):
        (current if subject is None or last[subject] == index else replaced).append(event)
    return current, replaced


def _subject(event: Event) -> str | None:
    """Return a key for events that replace each other: heartbeats, or the progress of one stage."""
    if event.type == "progressUpdate":
        return f"progress {json.loads(event.body).get('data', {}).get('stageName', '')}"
    return event.type if event.type == "heartbeat" else None
