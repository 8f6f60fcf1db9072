"""The buffer of events that are not yet acknowledged. The job's threads fill it, and one thread sends."""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from time import monotonic

from jobtrack_client._api.retries import new_key
from jobtrack_client._reporting.batches import MAX_BYTES, MAX_EVENTS, ROOM, Batch, PendingBatches
from jobtrack_client._reporting.event_queue import EventQueue
from jobtrack_client._reporting.queued_events import Event, Line, make_line
from jobtrack_client._reporting.stats import Reason, Stats, Tally
from jobtrack_client._runtime.log import warn_seldom
from jobtrack_client.types.events import FINAL_EVENTS

MAX_LINES = 2 * MAX_EVENTS
"""If the sending thread is slow, a thread of the job converts lines to events when this many have gathered."""


class Buffer:
    """Keeps events in order of reporting. A batch is settled before the next one is taken.

    A batch is settled when the service has stored it or refused it for good.
    """

    def __init__(
        self, queue: EventQueue, *, key: Callable[[], str] = new_key, clock: Callable[[], float] = monotonic
    ) -> None:
        # Reentrant, because a signal handler may report while its thread is reporting.
        self._changed = threading.Condition(threading.RLock())
        self._inbox: deque[Event | Line] = deque()
        self._sorting = False
        self._queue = queue
        self._pending = PendingBatches(queue, key)
        self._clock = clock
        self._tally = Tally()
        self._last = 0
        self._flush_until = 0
        self._ended = False
        self._deadline: float | None = None
        self._shut: Reason | None = None
        self.closing_seconds = 0.0
        """The seconds between the call of `close` and the deadline."""

    def put(self, reported: Event | Line) -> None:
        """Add an event or a line. After the end, or when there is no room, it is counted as dropped."""
        # Without a lock, so that a job's thread never waits. Appending is atomic.
        self._inbox.append(reported)
        if (gathered := len(self._inbox)) >= MAX_EVENTS:
            self._gathered(gathered)

    def note(self, event: Event) -> None:
        """Add an event of the client itself to the next batch. It replaces a waiting note."""
        with self._changed:
            self._pending.note = event

    def sort_in(self) -> None:
        """Convert the gathered lines to events, and put them into the queue."""
        with self._changed:
            if self._sorting:  # a signal handler has interrupted this thread
                return
            self._sorting = True
            try:
                while self._inbox:
                    if event := self._accept(self._inbox.popleft()):
                        self._keep(event)
            finally:
                self._sorting = False
            if len(self._queue) >= MAX_EVENTS or self._queue.bytes >= MAX_BYTES:
                self._changed.notify_all()

    def take(self, most: int = MAX_EVENTS) -> Batch | None:
        """Return the unsettled batch, or a new batch of at most `most` events."""
        with self._changed:
            if self._pending.next is None:
                note = self._pending.note
                self._pending.add(self._next(most, ROOM) if note is None else self._next(most - 1, ROOM - note.weight))
            return self._pending.next

    def acknowledged(self, batch: Batch) -> None:
        """Settle a batch that the service has stored."""
        with self._changed:
            self._tally.acknowledge(batch.events)
            self._settle()

    def refused(self, batch: Batch) -> None:
        """Settle a batch that the service has refused for good."""
        with self._changed:
            self._tally.drop(batch.events, Reason.REFUSED)
            self._settle()

    def halve(self, batch: Batch) -> None:
        """Replace a batch by its two halves, each with a new key."""
        middle = len(batch.events) // 2
        self._settle(batch.events[:middle], batch.events[middle:])

    def without(self, batch: Batch, bad: frozenset[int]) -> None:
        """Remove the refused events at the positions `bad` from a batch, and give it a new key."""
        with self._changed:
            self._tally.drop([batch.events[index] for index in sorted(bad)], Reason.REFUSED)
            self._settle(tuple(event for index, event in enumerate(batch.events) if index not in bad))

    def put_state_first(self, *, always: bool = False) -> None:
        """Move the events that change the job's state to the front, if more than one batch waits, or `always`."""
        with self._changed:
            self.sort_in()
            self._tally.drop(self._pending.put_state_first(always=always), Reason.SUPERSEDED)

    def conclude(self, note: Callable[[Stats], Event | None]) -> None:
        """Make the last batch: a note about lost events, and the newest events that fit. Drop the rest."""
        with self._changed:
            if self._shut is not None:
                return
            self.put_state_first()
            self._tally.drop(self._pending.keep_newest(), Reason.UNDELIVERED)
            self._shut = Reason.CLOSED
            self._pending.note = note(self._tally.stats())
            self._pending.add(self._queue.take(MAX_EVENTS, MAX_BYTES))

    def shut(self, waiting: Reason, later: Reason) -> None:
        """Drop waiting events for the reason `waiting`, and later ones for `later`."""
        with self._changed:
            self.sort_in()
            self._shut, self._pending.note = later, None
            while batch := self.take():
                self._tally.drop(batch.events, waiting)
                self._settle()

    def close(self, deadline: float) -> None:
        """Send the rest until `deadline` (of the injected clock), then take no more. A later deadline is ignored."""
        with self._changed:
            self.sort_in()
            if self._deadline is None or deadline < self._deadline:
                self._deadline, self.closing_seconds = deadline, deadline - self._clock()
            self._flush_until = self._last
            self._changed.notify_all()

    @property
    def closing(self) -> bool:
        """Whether there is a deadline."""
        return self._deadline is not None

    @property
    def ending(self) -> bool:
        """Whether there is a deadline, or the job's end was reported."""
        return self._ended or self.closing

    @property
    def concluded(self) -> bool:
        """Whether no more events are accepted."""
        return self._shut is not None

    @property
    def remaining(self) -> float | None:
        """Seconds until the deadline, if there is one."""
        return None if self._deadline is None else max(0.0, self._deadline - self._clock())

    def wait_work(self, seconds: float) -> None:
        """Wait for `seconds`, or until a batch is full or a thread flushes."""
        with self._changed:
            self._changed.wait_for(self._urgent, seconds)

    def pause(self, seconds: float) -> bool:
        """Wait before the next attempt, or until the deadline changes. Return whether time is left."""
        with self._changed:
            deadline, remaining = self._deadline, self.remaining
            longest = seconds if remaining is None else min(seconds, remaining)
            self._changed.wait_for(lambda: self._deadline != deadline, longest)
            return self.remaining != 0

    def flush(self, timeout: float) -> bool:
        """Wait at most `timeout` seconds until everything reported so far is settled. Return whether it is."""
        with self._changed:
            self.sort_in()
            target = self._flush_until = self._last
            self._changed.notify_all()
            return self._changed.wait_for(lambda: self._settled(target), timeout)

    @property
    def stats(self) -> Stats:
        """The current counts."""
        with self._changed:
            self.sort_in()
            return self._tally.stats()

    def _gathered(self, lines: int) -> None:
        if lines >= MAX_LINES:
            self.sort_in()
        elif lines == MAX_EVENTS:
            with self._changed:
                self._changed.notify_all()

    def _next(self, most: int, room: int) -> list[Event]:
        if self._queue:
            self.sort_in()
            return self._queue.take(most, room)
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
        """Count and number an event. Return None after the end, or if it cannot be converted."""
        try:
            number = self._last + 1
            event = reported._replace(number=number) if isinstance(reported, Event) else make_line(reported, number)
        except Exception:  # a program's own values may raise anything
            warn_seldom("a log line cannot be reported")
            return None
        self._tally.reported[event.type] += 1
        if self._shut is not None:
            self._tally.drop([event], self._shut)
            return None
        self._last = number
        self._ended = self._ended or event.type in FINAL_EVENTS
        return event

    def _keep(self, event: Event) -> None:
        if dropped := self._queue.put(event):
            self._tally.drop(dropped, Reason.MEMORY)

    def _urgent(self) -> bool:
        full = len(self._inbox) + len(self._queue) >= MAX_EVENTS or self._queue.bytes >= MAX_BYTES
        return self.closing or full or self._pending.next is not None or not self._settled(self._flush_until)

    def _settled(self, number: int) -> bool:
        """Return whether all events up to this number are settled."""
        oldest = self._pending.oldest
        return oldest is None or oldest > number

    def _settle(self, *parts: Sequence[Event]) -> None:
        with self._changed:
            self._pending.settle(*map(tuple, parts))
            self._changed.notify_all()
