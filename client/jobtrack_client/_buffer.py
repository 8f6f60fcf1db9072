"""The bounded queue of events that wait: in order of reporting, the least dear given up first."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from jobtrack_client._events import Event, Rank

OVERHEAD = 180
"""Bytes that an entry weighs in memory beyond its JSON (178 by tracemalloc on CPython 3.11)."""


@dataclass(frozen=True, slots=True)
class Entry:
    """An event with its number in the order of reporting."""

    number: int
    event: Event

    @property
    def weight(self) -> int:
        """Bytes of memory."""
        return len(self.event.body) + OVERHEAD


class Buffer:
    """Keeps at most `max_events` and `max_bytes` of memory, but for lifecycle events, which it always keeps."""

    def __init__(self, max_events: int, max_bytes: int) -> None:
        self._max_events = max_events
        self._max_bytes = max_bytes
        self._queues: dict[Rank, deque[Entry]] = {rank: deque() for rank in Rank}
        self._count = 0
        self._bytes = 0

    def __len__(self) -> int:
        """Events that wait."""
        return self._count

    @property
    def bytes(self) -> int:
        """Memory that they take."""
        return self._bytes

    def put(self, entry: Entry) -> list[Entry]:
        """Take one more; answers what had to go for it, which may be the entry itself."""
        self._queues[entry.event.rank].append(entry)
        self._add(entry, 1)
        return list(self._overflow())

    def first(self) -> Entry | None:
        """The entry reported first."""
        queue = self._first_queue()
        return queue[0] if queue else None

    def take(self, max_events: int, max_bytes: int) -> list[Entry]:
        """Take out the first entries: at most `max_events`, whose JSON with a comma each is at most `max_bytes`."""
        taken: list[Entry] = []
        while len(taken) < max_events and (queue := self._first_queue()):
            max_bytes -= len(queue[0].event.body) + 1
            if max_bytes < 0 and taken:
                break
            taken.append(self._pop(queue))
        return taken

    def _overflow(self) -> Iterator[Entry]:
        while self._count > self._max_events or self._bytes > self._max_bytes:
            queue = next((self._queues[rank] for rank in Rank if rank < Rank.LIFECYCLE and self._queues[rank]), None)
            if queue is None:
                return
            yield self._pop(queue)

    def _first_queue(self) -> deque[Entry] | None:
        return min(filter(None, self._queues.values()), key=lambda queue: queue[0].number, default=None)

    def _pop(self, queue: deque[Entry]) -> Entry:
        entry = queue.popleft()
        self._add(entry, -1)
        return entry

    def _add(self, entry: Entry, sign: int) -> None:
        self._count += sign
        self._bytes += sign * entry.weight
