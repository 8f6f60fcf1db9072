"""The background thread: the job's creation first, then batch after batch, each until it is settled."""

import re
import threading
from collections.abc import Callable
from functools import partial

from jobtrack_client._background import Background
from jobtrack_client._backoff import Backoff
from jobtrack_client._exceptions import ApiError, Conflict, JobTrackError
from jobtrack_client._notices import Notices
from jobtrack_client._outbox import Batch, Outbox
from jobtrack_client._stats import Reason

CLOSING_WAIT = 2.0
"""Seconds between tries at most, once the job has ended."""
_SPLIT = (400, 409, 413, 422)
_EVENT = re.compile(r"/events/(\d+)(?:/|$)")


class Creation:
    """How to create the job (within so many seconds, if the end is near), and what became of it."""

    def __init__(self, send: Callable[[float | None], None]) -> None:
        self.send = send
        self.tried = threading.Event()
        """The first try is over, whatever came of it."""
        self.settled = threading.Event()
        """No more tries follow."""
        self.refusal: JobTrackError | None = None
        """Why the service will not have the job."""


class Sender:
    """Sends what is in the outbox, one batch at a time, so that order is kept."""

    def __init__(
        self,
        outbox: Outbox,
        creation: Creation,
        post: Callable[[Batch, float | None], None],
        *,
        notices: Notices,
        backoff: Backoff,
        flush_seconds: float,
    ) -> None:
        self._outbox = outbox
        self._creation = creation
        self._post = post
        self._notices = notices
        self._backoff = backoff
        self._flush_seconds = flush_seconds
        self._tries = 0
        self._thread = Background("jobtrack-reporter")

    def start(self, tick: Callable[[], None]) -> None:
        """Begin to send, calling `tick` before each batch.

        Raises:
            RuntimeError: no thread can be started.
        """
        self._thread.start(partial(self.run, tick))

    def join(self, timeout: float) -> bool:
        """Wait for the end of it, at most `timeout` seconds; whether it came."""
        return self._thread.join(timeout)

    @property
    def started(self) -> bool:
        """Whether it has begun to send."""
        return self._thread.started

    @property
    def ident(self) -> int | None:
        """The thread's identifier, once it has begun."""
        return self._thread.ident

    def create(self) -> float | None:
        """Try to create the job: seconds to wait before the next try, None when there is an outcome."""
        try:
            self._creation.send(self._outbox.remaining)
        except Exception as error:  # reporting must never end in silence, whatever fails
            return self._failed_creation(error)
        finally:
            self._creation.tried.set()
        self._up()
        return None

    def attempt(self, batch: Batch) -> float | None:
        """Try to send a batch: seconds to wait before the next try, None when it is settled."""
        try:
            self._post(batch, self._outbox.remaining)
        except Exception as error:  # reporting must never end in silence, whatever fails
            return self._failed(batch, error)
        self._up()
        self._outbox.acknowledged(batch)
        return None

    def run(self, tick: Callable[[], None]) -> None:
        """Send until all is sent or the time to close is over: in a thread, or at the end where there is none."""
        done = self._persist(self.create)
        self._creation.settled.set()
        if self._creation.refusal is not None:
            self._outbox.shut(Reason.REFUSED, Reason.REFUSED)
        elif done:
            self._deliver(tick)
        self._outbox.shut(Reason.UNDELIVERED, Reason.CLOSED)
        self._notices.ended(self._outbox.stats)

    def _deliver(self, tick: Callable[[], None]) -> None:
        while True:
            closing = self._outbox.closing
            tick()
            batch = self._outbox.take()
            if self._outbox.remaining == 0 or (batch is None and closing):
                return
            if batch is not None and not self._persist(partial(self.attempt, batch)):
                return
            self._notices.dropped(self._outbox.stats)
            self._outbox.wait_work(self._flush_seconds)

    def _persist(self, attempt: Callable[[], float | None]) -> bool:
        while (delay := attempt()) is not None:
            if not self._outbox.pause(delay):
                return False
        return True

    def _failed_creation(self, error: Exception) -> float | None:
        if isinstance(error, JobTrackError) and error.transient:
            return self._down(error)
        if isinstance(error, Conflict):
            self._notices.existing(error)
            return None
        self._creation.refusal = error if isinstance(error, JobTrackError) else JobTrackError(repr(error))
        self._notices.not_created(error)
        return None

    def _failed(self, batch: Batch, error: Exception) -> float | None:
        if isinstance(error, JobTrackError) and error.transient:
            return self._down(error)
        if isinstance(error, ApiError) and error.status in _SPLIT and len(batch.events) > 1:
            self._divide(batch, error)
        else:
            self._notices.refused(batch.types, error)
            self._outbox.refused(batch)
        return None

    def _divide(self, batch: Batch, error: ApiError) -> None:
        if bad := _bad(error, len(batch.events)):
            self._notices.refused([batch.types[index] for index in sorted(bad)], error)
            self._outbox.without(batch, bad)
        else:
            self._outbox.halve(batch)

    def _down(self, error: JobTrackError) -> float:
        self._tries += 1
        self._notices.down(error)
        self._notices.dropped(self._outbox.stats)
        longest = CLOSING_WAIT if self._outbox.closing else None
        return self._backoff.delay(self._tries, error.retry_after, longest)

    def _up(self) -> None:
        self._tries = 0
        self._notices.up()


def _bad(error: ApiError, count: int) -> frozenset[int]:
    """The positions of the events that a refusal names."""
    found = {int(match[1]) for fault in error.errors if (match := _EVENT.search(fault.pointer))}
    return frozenset(index for index in found if index < count)
