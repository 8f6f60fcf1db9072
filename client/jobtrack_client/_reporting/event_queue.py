"""A bounded queue of events in order of reporting. It drops the least important ones first."""

from collections import deque
from collections.abc import Iterator

from jobtrack_client._reporting.queued_events import OVERHEAD, Event, Rank
from jobtrack_client.types.events import ALLOWED_AFTER_THE_END


class EventQueue:
    """Keeps at most `max_events` in `max_bytes` of memory. Lifecycle events are always kept."""

    def __init__(self, max_events: int, max_bytes: int) -> None:
        self._max_events = max_events
        self._max_bytes = max_bytes
        self._queues: dict[Rank, deque[Event]] = {rank: deque() for rank in Rank}
        self._count = 0
        self._bytes = 0
        self._of_state = 0

    def __len__(self) -> int:
        """Return the number of events."""
        return self._count

    @property
    def bytes(self) -> int:
        """The bytes of memory that the events take."""
        return self._bytes

    def put(self, event: Event) -> list[Event]:
        """Add an event. Return the events that were dropped to make room, possibly including this one."""
        self._queues[event.rank].append(event)
        self._count += 1
        self._bytes += event.weight
        self._of_state += event.type not in ALLOWED_AFTER_THE_END
        full = self._count > self._max_events or self._bytes > self._max_bytes
        return list(self._overflow()) if full else []

    def first(self) -> Event | None:
        """Return the event that was reported first."""
        queue = self._first_queue()
        return queue[0] if queue else None

    def take(self, max_events: int, max_bytes: int) -> list[Event]:
        """Remove and return the first events: at most `max_events`, in at most `max_bytes` of JSON with commas."""
        taken: list[Event] = []
        while len(taken) < max_events and (queue := self._first_queue()):
            until = min((other[0].number for other in self._queues.values() if other and other is not queue), default=0)
            while queue and len(taken) < max_events and (not until or queue[0].number < until):
                max_bytes -= len(queue[0].body) + 1
                if max_bytes < 0 and taken:
                    return taken
                taken.append(self._pop(queue))
        return taken

    def fits(self, max_events: int, max_bytes: int) -> bool:
        """Return whether `take` with these limits would return all events."""
        return self._count <= max_events and self._bytes - (OVERHEAD - 1) * self._count <= max_bytes

    def take_state(self) -> list[Event]:
        """Remove and return, in order, the events that the service does not accept after the job's end."""
        taken: list[Event] = []
        for rank, queue in self._queues.items() if self._of_state else ():
            late: deque[Event] = deque()
            for event in queue:
                (late if event.type in ALLOWED_AFTER_THE_END else taken).append(event)
            self._queues[rank] = late
        self._count -= len(taken)
        self._bytes -= sum(event.weight for event in taken)
        self._of_state = 0
        return sorted(taken, key=_number)

    def keep_newest(self, max_events: int, max_bytes: int) -> list[Event]:
        """Remove and return all but the newest events, which `take` with these limits would return at once."""
        taken = self.take(self._count - max_events, self._bytes)
        while not self.fits(max_events, max_bytes) and (queue := self._first_queue()):
            taken.append(self._pop(queue))
        return taken

    def _overflow(self) -> Iterator[Event]:
        while self._count > self._max_events or self._bytes > self._max_bytes:
            queue = next((self._queues[rank] for rank in Rank if rank < Rank.LIFECYCLE and self._queues[rank]), None)
            if queue is None:
                return
            yield self._pop(queue)

    def _first_queue(self) -> deque[Event] | None:
        return min(filter(None, self._queues.values()), key=lambda queue: queue[0].number, default=None)

    def _pop(self, queue: deque[Event]) -> Event:
        event = queue.popleft()
        self._count -= 1
        self._bytes -= event.weight
        self._of_state -= event.type not in ALLOWED_AFTER_THE_END
        return event


def _number(event: Event) -> int:
    return event.number
