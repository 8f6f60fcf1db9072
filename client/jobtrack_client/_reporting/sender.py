"""The background thread. It creates the job, then sends one batch after another."""

import re
from collections.abc import Callable
from functools import partial
from time import monotonic

from jobtrack_client._api.retries import Backoff
from jobtrack_client._exceptions import ApiError, Conflict, JobTrackError
from jobtrack_client._reporting.batches import Batch
from jobtrack_client._reporting.buffer import Buffer
from jobtrack_client._reporting.creation import Creation
from jobtrack_client._reporting.heartbeat import BATCH, Heartbeat
from jobtrack_client._reporting.notices import Notices
from jobtrack_client._reporting.pace import Pace
from jobtrack_client._reporting.queued_events import Event
from jobtrack_client._reporting.stats import Reason, Stats
from jobtrack_client._runtime.threads import Background

_VERDICTS = frozenset({400, 404, 409, 413, 415, 422})
"""The statuses with which the service refuses events. All others concern the token, a proxy or an outage."""
_SPLIT = (400, 409, 413, 422)
_EVENT = re.compile(r"/events/(\d+)(?:/|$)")


class Sender:
    """Sends the events in the buffer. It sends one batch at a time, so that their order is kept."""

    def __init__(
        self,
        buffer: Buffer,
        creation: Creation,
        post: Callable[[Batch, float | None], None],
        *,
        notices: Notices,
        make_note: Callable[[str], Event],
        backoff: Backoff,
        flush_seconds: float,
        heartbeat: Heartbeat,
    ) -> None:
        self._buffer = buffer
        self._creation = creation
        self._post = post
        self._notices = notices
        self._make_note = make_note
        self._pace = Pace(buffer, backoff)
        self._flush_seconds = flush_seconds
        self._heartbeat = heartbeat
        self._ending_noted = False
        self._thread = Background("jobtrack-reporter")

    def start(self, tick: Callable[[], None]) -> None:
        """Start the thread. It calls `tick` before each batch.

        Raises:
            RuntimeError: no thread can be started.
        """
        self._thread.start(partial(self.run, tick))

    def join(self, timeout: float) -> bool:
        """Wait at most `timeout` seconds for the end of the thread. Return whether it has ended."""
        return self._thread.join(timeout)

    @property
    def started(self) -> bool:
        """Whether the thread was started."""
        return self._thread.started

    @property
    def ident(self) -> int | None:
        """The identifier of the thread, once it runs."""
        return self._thread.ident

    def create(self) -> float | None:
        """Try to create the job. Return the delay before the next attempt; None if there is a result."""
        began = monotonic()
        try:
            self._creation.send(self._pace.time)
        except Exception as error:  # whatever fails, reporting must go on
            self._creation.tried.set()
            return self._failed_creation(error)
        self._up(began)
        return None

    def attempt(self, batch: Batch) -> float | None:
        """Try to send a batch. Return the delay before the next attempt; None if the batch is settled."""
        began = monotonic()
        try:
            self._post(batch, self._pace.time_for(batch))
        except Exception as error:  # whatever fails, reporting must go on
            return self._failed(batch, error)
        self._up(began)
        self._buffer.acknowledged(batch)
        return None

    def run(self, tick: Callable[[], None]) -> None:
        """Send until all is sent or the deadline has passed. Without a thread, this runs at the job's end."""
        done = self._create()
        self._creation.settled.set()
        if self._creation.refusal is not None:
            self._buffer.shut(Reason.REFUSED, Reason.REFUSED)
        elif done:
            self._deliver(tick)
        self._creation.tried.set()
        self._buffer.shut(Reason.UNDELIVERED, Reason.CLOSED)
        self._notices.ended(self._buffer.stats)

    def _create(self) -> bool:
        while (delay := self.create()) is not None:
            if not self._buffer.pause(delay):
                return False
        return True

    def _deliver(self, tick: Callable[[], None]) -> None:
        while True:
            closing = self._buffer.closing
            tick()
            batch = self._next(closing)
            if self._buffer.remaining == 0 or (batch is None and closing):
                return
            delay = self._send_heartbeat() if batch is None else self.attempt(batch)
            # Only now, because a job that was created but not started is never marked as stalled.
            self._creation.tried.set()
            if delay is None:
                self._note_gap()
                self._buffer.wait_work(min(self._flush_seconds, self._heartbeat.due_in))
            elif not self._buffer.pause(delay):
                return

    def _next(self, closing: bool) -> Batch | None:
        """Return the next batch. At the job's end: its state, then lines while there is time, then the last batch."""
        if self._buffer.ending:
            self._heartbeat.stop()
            self._note_gap(at_once=not self._ending_noted)
            self._ending_noted = True
            self._buffer.put_state_first(always=self._pace.failing)
        remaining = self._buffer.remaining
        if remaining is not None and remaining <= self._pace.reserve:
            self._buffer.conclude(self._last_note)
        batch = self._buffer.take()
        if batch is None and closing:
            self._buffer.conclude(self._last_note)
            batch = self._buffer.take()
        return batch

    def _last_note(self, stats: Stats) -> Event | None:
        message = self._notices.lost(stats)
        return None if message is None else self._make_note(message)

    def _note_gap(self, *, at_once: bool = False) -> None:
        if message := self._notices.gap(self._buffer.stats, at_once=at_once):
            self._buffer.note(self._make_note(message))

    def _send_heartbeat(self) -> float | None:
        """Send a heartbeat if it is due. Return the delay before the next attempt; None if there is none."""
        if self._heartbeat.due_in > 0:
            return None
        began = monotonic()
        try:
            self._post(BATCH, None)
        except Exception as error:  # whatever fails, reporting must go on
            if not _final(error):
                return self._down(error)
            self._heartbeat.sent()
            if isinstance(error, Conflict):  # another process has ended the job
                self._heartbeat.stop()
            return None
        self._up(began)
        return None

    def _failed_creation(self, error: Exception) -> float | None:
        transient = isinstance(error, JobTrackError) and error.transient
        if transient or (self._creation.exists and not _final(error)):
            self._creation.failure = _named(error)
            return self._down(error)
        if isinstance(error, Conflict):
            self._notices.existing(error)
            return None
        self._creation.refusal = _named(error)
        self._notices.not_created(error)
        return None

    def _failed(self, batch: Batch, error: Exception) -> float | None:
        if not isinstance(error, ApiError) or not _final(error):
            return self._down(error)
        if error.status in _SPLIT and len(batch.events) > 1:
            self._divide(batch, error)
        else:
            self._notices.refused(batch.types, error)
            self._buffer.refused(batch)
        return None

    def _divide(self, batch: Batch, error: ApiError) -> None:
        if bad := _bad(error, len(batch.events)):
            self._notices.refused([batch.types[index] for index in sorted(bad)], error)
            self._buffer.without(batch, bad)
        else:
            self._buffer.halve(batch)

    def _down(self, error: Exception) -> float:
        self._notices.down(error)
        self._note_gap()
        return self._pace.failed(_named(error).retry_after)

    def _up(self, began: float) -> None:
        self._pace.succeeded(began)
        self._notices.up()
        self._heartbeat.sent()


def _final(error: Exception) -> bool:
    """Return whether the service has refused events for good. A 404 without a code comes from a proxy."""
    if not isinstance(error, ApiError) or error.transient or (error.status == 404 and error.code is None):
        return False
    return error.status in _VERDICTS


def _named(error: Exception) -> JobTrackError:
    return error if isinstance(error, JobTrackError) else JobTrackError(repr(error))


def _bad(error: ApiError, count: int) -> frozenset[int]:
    """Return the positions of the events that an error names."""
    positions = {int(match[1]) for fault in error.errors if (match := _EVENT.search(fault.pointer))}
    return frozenset(index for index in positions if index < count)
