"""The background thread: the job's creation first, then batch after batch, each until it is settled."""

import re
import threading
from collections.abc import Callable
from time import monotonic

from jobtrack_client._backoff import Backoff
from jobtrack_client._batch import Batch
from jobtrack_client._creation import Creation
from jobtrack_client._events import Event
from jobtrack_client._exceptions import ApiError, Conflict, JobTrackError
from jobtrack_client._heartbeat import BATCH, Heartbeat
from jobtrack_client._notices import Notices
from jobtrack_client._outbox import Outbox
from jobtrack_client._stats import Reason, Stats

CLOSING_WAIT = 2.0
"""Seconds between tries at most, once the job has ended."""
LEAST_WAIT = 0.05
"""Seconds between tries at least, while the time to close runs out."""
LEAST_RESERVE = 0.2
_TRIPS = 4
"""How many requests the reserve of the time to close has room for, since one may take longer than those before."""
_VERDICTS = frozenset({400, 404, 409, 413, 415, 422})
"""Statuses by which the service refuses a report. All others are of the token, of a proxy, or of an outage."""
_SPLIT = (400, 409, 413, 422)
_EVENT = re.compile(r"/events/(\d+)(?:/|$)")


class Sender:
    """Sends what is in the outbox, one batch at a time, so that order is kept."""

    def __init__(
        self,
        outbox: Outbox,
        creation: Creation,
        post: Callable[[Batch, float | None], None],
        *,
        notices: Notices,
        say: Callable[[str], Event],
        backoff: Backoff,
        flush_seconds: float,
        heartbeat: Heartbeat,
    ) -> None:
        self._outbox = outbox
        self._creation = creation
        self._post = post
        self._notices = notices
        self._say = say
        self._backoff = backoff
        self._flush_seconds = flush_seconds
        self._heartbeat = heartbeat
        self._tries = 0
        self._trip = 0.0
        self._hurried = False
        self._thread: threading.Thread | None = None

    def start(self, tick: Callable[[], None]) -> None:
        """Begin to send, calling `tick` before each batch."""
        self._thread = threading.Thread(target=self._run, args=(tick,), name="jobtrack-reporter", daemon=True)
        self._thread.start()

    def join(self, timeout: float) -> bool:
        """Wait for the end of it, at most `timeout` seconds; whether it came."""
        if self._thread is None:
            return True
        self._thread.join(timeout)
        return not self._thread.is_alive()

    @property
    def ident(self) -> int | None:
        """The thread's identifier, once it has begun."""
        return None if self._thread is None else self._thread.ident

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
        began = monotonic()
        try:
            self._post(batch, self._time_for(batch))
        except Exception as error:  # reporting must never end in silence, whatever fails
            return self._failed(batch, error)
        self._trip = max(monotonic() - began, self._trip / 2)
        self._up()
        self._outbox.acknowledged(batch)
        return None

    def _run(self, tick: Callable[[], None]) -> None:
        done = self._create()
        self._creation.settled.set()
        if self._creation.refusal is not None:
            self._outbox.shut(Reason.REFUSED, Reason.REFUSED)
        elif done:
            self._deliver(tick)
        self._outbox.shut(Reason.UNDELIVERED, Reason.CLOSED)
        self._notices.ended(self._outbox.stats)

    def _create(self) -> bool:
        while (delay := self.create()) is not None:
            if not self._outbox.pause(delay):
                return False
        return True

    def _deliver(self, tick: Callable[[], None]) -> None:
        while True:
            closing = self._outbox.closing
            tick()
            batch = self._next(closing)
            if self._outbox.remaining == 0 or (batch is None and closing):
                return
            delay = self._beat() if batch is None else self.attempt(batch)
            if delay is None:
                self._tell_gap()
                self._outbox.wait_work(min(self._flush_seconds, self._heartbeat.due_in))
            elif not self._outbox.pause(delay):
                return

    def _next(self, closing: bool) -> Batch | None:
        """What to send next: at the job's end its state, then its lines while there is time, then the last batch."""
        if self._outbox.ending:
            self._heartbeat.stop()
            self._tell_gap(at_once=not self._hurried)
            self._hurried = True
            self._outbox.put_state_first(always=self._tries > 0)
        remaining = self._outbox.remaining
        if remaining is not None and remaining <= self._reserve:
            self._outbox.conclude(self._last_note)
        batch = self._outbox.take()
        if batch is None and closing:
            self._outbox.conclude(self._last_note)
            batch = self._outbox.take()
        return batch

    @property
    def _reserve(self) -> float:
        """Seconds before the deadline from which on no more than the last batch is begun."""
        return min(max(LEAST_RESERVE, _TRIPS * self._trip), self._outbox.closing_seconds / 2)

    def _time_for(self, batch: Batch) -> float | None:
        """Seconds that a try to send it may take, if there is a deadline: lines must leave time for the last batch."""
        remaining = self._outbox.remaining
        if remaining is None or batch.changes_state or self._outbox.concluded:
            return remaining
        return remaining - self._reserve / _TRIPS

    def _last_note(self, stats: Stats) -> Event | None:
        message = self._notices.lost(stats)
        return None if message is None else self._say(message)

    def _tell_gap(self, *, at_once: bool = False) -> None:
        if message := self._notices.gap(self._outbox.stats, at_once=at_once):
            self._outbox.note(self._say(message))

    def _beat(self) -> float | None:
        """Send a heartbeat if it is time: seconds to wait before the next try, None when no other follows."""
        if self._heartbeat.due_in > 0:
            return None
        try:
            self._post(BATCH, None)
        except Exception as error:  # reporting must never end in silence, whatever fails
            if not _final(error):
                return self._down(error)
            self._heartbeat.sent()
            if isinstance(error, Conflict):  # somebody else has ended the job
                self._heartbeat.stop()
            return None
        self._up()
        return None

    def _failed_creation(self, error: Exception) -> float | None:
        passing = isinstance(error, JobTrackError) and error.transient
        if passing or (self._creation.exists and not _final(error)):
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
            self._outbox.refused(batch)
        return None

    def _divide(self, batch: Batch, error: ApiError) -> None:
        if bad := _bad(error, len(batch.events)):
            self._notices.refused([batch.types[index] for index in sorted(bad)], error)
            self._outbox.without(batch, bad)
        else:
            self._outbox.halve(batch)

    def _down(self, error: Exception) -> float:
        self._tries += 1
        self._notices.down(error)
        self._tell_gap()
        return self._delay(_named(error).retry_after)

    def _delay(self, asked: float | None) -> float:
        """Seconds before the next try: what the service `asked` for, unless no time to close would be left."""
        remaining = self._outbox.remaining
        if remaining is None:
            return self._backoff.delay(self._tries, asked)
        if asked is not None and (delay := self._backoff.delay(self._tries, asked)) < remaining - self._reserve:
            return delay
        # Tries come closer to each other towards the deadline, for a service that is back just before it.
        return min(self._backoff.delay(self._tries, None, CLOSING_WAIT), max(remaining / 2, LEAST_WAIT))

    def _up(self) -> None:
        self._tries = 0
        self._notices.up()
        self._heartbeat.sent()


def _final(error: Exception) -> bool:
    """Whether the service has refused a report for good; a 404 without a code is that of a proxy before it."""
    if not isinstance(error, ApiError) or error.transient or (error.status == 404 and error.code is None):
        return False
    return error.status in _VERDICTS


def _named(error: Exception) -> JobTrackError:
    return error if isinstance(error, JobTrackError) else JobTrackError(repr(error))


def _bad(error: ApiError, count: int) -> frozenset[int]:
    """The positions of the events that a refusal names."""
    found = {int(match[1]) for fault in error.errors if (match := _EVENT.search(fault.pointer))}
    return frozenset(index for index in found if index < count)
