"""What was reported and is not yet acknowledged, shared by the job's threads and the one that sends."""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import monotonic
from uuid import uuid4

from jobtrack_client._buffer import Buffer, Entry
from jobtrack_client._events import Event
from jobtrack_client._stats import Reason, Stats, Tally

MAX_EVENTS = 500
MAX_BYTES = 1024 * 1024
_HEAD, _TAIL = b'{"events":[', b"]}"


def new_key() -> str:
    """An Idempotency-Key that nobody else has."""
    return str(uuid4())


@dataclass(frozen=True, slots=True)
class Batch:
    """Events that are sent as one request, under one key however often it is tried."""

    key: str
    entries: tuple[Entry, ...]

    @property
    def body(self) -> bytes:
        """The request's JSON."""
        return _HEAD + b",".join(entry.event.body for entry in self.entries) + _TAIL

    @property
    def types(self) -> list[str]:
        """The events' types, in order."""
        return [entry.event.type for entry in self.entries]


class Outbox:
    """Order is kept: a batch is settled before the next is taken."""

    def __init__(
        self, buffer: Buffer, *, key: Callable[[], str] = new_key, clock: Callable[[], float] = monotonic
    ) -> None:
        # Reentrant, since a signal handler may report while its thread is reporting.
        self._changed = threading.Condition(threading.RLock())
        self._buffer = buffer
        self._key = key
        self._clock = clock
        self._parts: deque[Batch] = deque()
        self._tally = Tally()
        self._last = 0
        self._wanted = 0
        self._deadline: float | None = None
        self._shut: Reason | None = None

    def put(self, event: Event) -> None:
        """Take one more event; after the end, or when there is no room, it is counted as dropped."""
        with self._changed:
            self._tally.reported[event.type] += 1
            if self._shut is not None:
                self._tally.drop([event], self._shut)
                return
            self._last += 1
            if gone := self._buffer.put(Entry(self._last, event)):
                self._drop(gone, Reason.MEMORY)
            if len(self._buffer) == MAX_EVENTS or self._buffer.bytes >= MAX_BYTES:
                self._changed.notify_all()

    def take(self) -> Batch | None:
        """The next batch: a part of one that was refused, else the first events that wait."""
        with self._changed:
            if not self._parts and (entries := self._buffer.take(MAX_EVENTS, MAX_BYTES - len(_HEAD + _TAIL))):
                self._parts.append(Batch(self._key(), tuple(entries)))
            return self._parts[0] if self._parts else None

    def acknowledged(self, batch: Batch) -> None:
        """The service has stored it."""
        with self._changed:
            self._tally.acknowledged.update(batch.types)
            self._settle()

    def refused(self, batch: Batch) -> None:
        """The service never will."""
        with self._changed:
            self._drop(batch.entries, Reason.REFUSED)
            self._settle()

    def halve(self, batch: Batch) -> None:
        """Send its two halves instead, each under a new key."""
        middle = len(batch.entries) // 2
        self._replace(batch.entries[:middle], batch.entries[middle:])

    def without(self, batch: Batch, bad: frozenset[int]) -> None:
        """Send it without the events at the positions `bad`, which the service refused, under a new key."""
        with self._changed:
            self._drop([batch.entries[index] for index in sorted(bad)], Reason.REFUSED)
            self._replace(tuple(entry for index, entry in enumerate(batch.entries) if index not in bad))

    def shut(self, waiting: Reason, later: Reason) -> None:
        """Give up what waits and take no more, counting each under its reason."""
        with self._changed:
            self._shut = later
            while batch := self.take():
                self._drop(batch.entries, waiting)
                self._settle()

    def close(self, deadline: float) -> None:
        """Have the rest sent until `deadline` (of the clock passed in), then take no more."""
        with self._changed:
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
            target = self._wanted = self._last
            self._changed.notify_all()
            return self._changed.wait_for(lambda: self._oldest() > target, timeout)

    @property
    def stats(self) -> Stats:
        """The counts at this moment."""
        with self._changed:
            return self._tally.stats()

    def _urgent(self) -> bool:
        full = len(self._buffer) >= MAX_EVENTS or self._buffer.bytes >= MAX_BYTES
        return full or bool(self._parts) or self._oldest() <= self._wanted

    def _oldest(self) -> int:
        """The number of the first event that is not settled; past the last when all are."""
        if self._parts:
            return self._parts[0].entries[0].number
        first = self._buffer.first()
        return self._last + 1 if first is None else first.number

    def _replace(self, *parts: tuple[Entry, ...]) -> None:
        with self._changed:
            self._settle()
            self._parts.extendleft(Batch(self._key(), part) for part in reversed(parts) if part)

    def _settle(self) -> None:
        self._parts.popleft()
        self._changed.notify_all()

    def _drop(self, entries: Sequence[Entry], reason: Reason) -> None:
        self._tally.drop([entry.event for entry in entries], reason)
