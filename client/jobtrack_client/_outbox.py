"""What was reported and is not yet acknowledged, shared by the job's threads and the one that sends."""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import monotonic
from uuid import uuid4

from jobtrack_client._buffer import Buffer
from jobtrack_client._events import Event, Line, make_line
from jobtrack_client._notices import LOGGER
from jobtrack_client._stats import Reason, Stats, Tally

MAX_EVENTS = 500
MAX_BYTES = 1024 * 1024
MAX_LINES = 2 * MAX_EVENTS
"""Lines that gather at most before they are made events: by the thread that sends, while it keeps up."""
_HEAD, _TAIL = b'{"events":[', b"]}"


def new_key() -> str:
    """An Idempotency-Key that nobody else has."""
    return str(uuid4())


@dataclass(frozen=True, slots=True)
class Batch:
    """Events that are sent as one request, under one key however often it is tried."""

    key: str
    events: tuple[Event, ...]

    @property
    def body(self) -> bytes:
        """The request's JSON."""
        return _HEAD + b",".join(event.body for event in self.events) + _TAIL

    @property
    def types(self) -> list[str]:
        """The events' types, in order."""
        return [event.type for event in self.events]


class Outbox:
    """Order is kept: a batch is settled before the next is taken."""

    def __init__(
        self, buffer: Buffer, *, key: Callable[[], str] = new_key, clock: Callable[[], float] = monotonic
    ) -> None:
        # Reentrant, since a signal handler may report while its thread is reporting.
        self._changed = threading.Condition(threading.RLock())
        self._inbox: deque[Event | Line] = deque()
        self._sorting = False
        self._buffer = buffer
        self._key = key
        self._clock = clock
        self._parts: deque[Batch] = deque()
        self._tally = Tally()
        self._last = 0
        self._wanted = 0
        self._deadline: float | None = None
        self._shut: Reason | None = None

    def put(self, reported: Event | Line) -> None:
        """Take one more event; after the end, or when there is no room, it is counted as dropped."""
        # No lock, so that a job's thread waits for none: appending is atomic.
        self._inbox.append(reported)
        if (gathered := len(self._inbox)) >= MAX_EVENTS:
            self._gathered(gathered)

    def sort_in(self) -> None:
        """Make events of the lines that have gathered, and put them into the buffer."""
        with self._changed:
            if self._sorting:  # by this very thread, which a signal handler has interrupted
                return
            self._sorting = True
            try:
                while self._inbox:
                    if event := self._accept(self._inbox.popleft()):
                        self._keep(event)
            finally:
                self._sorting = False
            if len(self._buffer) >= MAX_EVENTS or self._buffer.bytes >= MAX_BYTES:
                self._changed.notify_all()

    def take(self, most: int = MAX_EVENTS) -> Batch | None:
        """The next batch: a part of one that was refused, else the first events that wait, at most so many."""
        with self._changed:
            if not self._parts and (events := self._next(most)):
                self._parts.append(Batch(self._key(), tuple(events)))
            return self._parts[0] if self._parts else None

    def acknowledged(self, batch: Batch) -> None:
        """The service has stored it."""
        with self._changed:
            self._tally.acknowledged.update(batch.types)
            self._settle()

    def refused(self, batch: Batch) -> None:
        """The service never will."""
        with self._changed:
            self._drop(batch.events, Reason.REFUSED)
            self._settle()

    def halve(self, batch: Batch) -> None:
        """Send its two halves instead, each under a new key."""
        middle = len(batch.events) // 2
        self._replace(batch.events[:middle], batch.events[middle:])

    def without(self, batch: Batch, bad: frozenset[int]) -> None:
        """Send it without the events at the positions `bad`, which the service refused, under a new key."""
        with self._changed:
            self._drop([batch.events[index] for index in sorted(bad)], Reason.REFUSED)
            self._replace(tuple(event for index, event in enumerate(batch.events) if index not in bad))

    def shut(self, waiting: Reason, later: Reason) -> None:
        """Give up what waits and take no more, counting each under its reason."""
        with self._changed:
            self.sort_in()
            self._shut = later
            while batch := self.take():
                self._drop(batch.events, waiting)
                self._settle()

    def close(self, deadline: float) -> None:
        """Have the rest sent until `deadline` (of the clock passed in), then take no more."""
        with self._changed:
            self.sort_in()
            self._deadline = deadline
            self._wanted = self._last
            self._changed.notify_all()

    @property
    def closing(self) -> bool:
        """Whether there is a deadline."""
        return self._deadline is not None

    @property
    def remaining(self) -> float | None:
        """Seconds until the deadline, if there is one."""
        return None if self._deadline is None else max(0.0, self._deadline - self._clock())

    def wait_work(self, seconds: float) -> None:
        """Wait for `seconds`, less when a batch is full or somebody waits for it."""
        with self._changed:
            self._changed.wait_for(self._urgent, seconds)

    def pause(self, seconds: float) -> bool:
        """Wait before the next try, less when the end begins meanwhile; False when the time for tries is over."""
        with self._changed:
            if (remaining := self.remaining) is None:
                self._changed.wait_for(lambda: self.closing, seconds)
                return True
            self._changed.wait_for(lambda: False, min(seconds, remaining))
            return bool(self.remaining)

    def flush(self, timeout: float) -> bool:
        """Wait until everything reported so far is settled, at most `timeout` seconds; whether it is."""
        with self._changed:
            self.sort_in()
            target = self._wanted = self._last
            self._changed.notify_all()
            return self._changed.wait_for(lambda: self._oldest() > target, timeout)

    @property
    def stats(self) -> Stats:
        """The counts at this moment."""
        with self._changed:
            self.sort_in()
            return self._tally.stats()

    def _gathered(self, lines: int) -> None:
        if lines >= MAX_LINES:
            self.sort_in()
        elif lines == MAX_EVENTS:
            with self._changed:
                self._changed.notify_all()

    def _next(self, most: int) -> list[Event]:
        room = MAX_BYTES - len(_HEAD + _TAIL)
        if self._buffer:
            self.sort_in()
            return self._buffer.take(most, room)
        events: list[Event] = []
        while self._inbox and len(events) < most:
            if event := self._accept(self._inbox.popleft()):
                room -= len(event.body) + 1
                if room < 0 and events:
                    self._keep(event)
                    break
                events.append(event)
        return events

    def _accept(self, reported: Event | Line) -> Event | None:
        """Count it and give it its number, unless it came too late or cannot be said."""
        try:
            number = self._last + 1
            event = reported._replace(number=number) if isinstance(reported, Event) else make_line(reported, number)
        except Exception:  # whatever a worker's own values raise, its job goes on
            LOGGER.warning("a log line cannot be reported", exc_info=True)
            return None
        self._tally.reported[event.type] += 1
        if self._shut is not None:
            self._tally.drop([event], self._shut)
            return None
        self._last = number
        return event

    def _keep(self, event: Event) -> None:
        if gone := self._buffer.put(event):
            self._drop(gone, Reason.MEMORY)

    def _urgent(self) -> bool:
        full = len(self._inbox) + len(self._buffer) >= MAX_EVENTS or self._buffer.bytes >= MAX_BYTES
        return self.closing or full or bool(self._parts) or self._oldest() <= self._wanted

    def _oldest(self) -> int:
        """The number of the first event that is not settled; past the last when all are."""
        if self._parts:
            return self._parts[0].events[0].number
        first = self._buffer.first()
        return self._last + 1 if first is None else first.number

    def _replace(self, *parts: tuple[Event, ...]) -> None:
        with self._changed:
            self._settle()
            self._parts.extendleft(Batch(self._key(), part) for part in reversed(parts) if part)

    def _settle(self) -> None:
        self._parts.popleft()
        self._changed.notify_all()

    def _drop(self, events: Sequence[Event], reason: Reason) -> None:
        self._tally.drop(events, reason)
