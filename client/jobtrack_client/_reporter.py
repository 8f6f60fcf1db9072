"""What a job reports through: events in, requests out; no call here raises into the job or waits for the service."""

import atexit
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from time import monotonic, time
from typing import TYPE_CHECKING

from jobtrack_client._backoff import Backoff
from jobtrack_client._buffer import Buffer
from jobtrack_client._events import Rank, make_event
from jobtrack_client._exceptions import Unreachable
from jobtrack_client._notices import LOGGER, Notices
from jobtrack_client._outbox import Batch, Outbox, new_key
from jobtrack_client._plain import Json
from jobtrack_client._requests import Request
from jobtrack_client._sender import Creation, Sender
from jobtrack_client._stats import Stats

if TYPE_CHECKING:
    from jobtrack_client._sync.http import Http
    from jobtrack_client.models import Accepted, NewJob


@dataclass(frozen=True, slots=True)
class ReporterOptions:
    """How a job reports.

    `max_events` and `max_bytes` bound the memory of what waits (a request of 500 events under way comes on top);
    `flush_seconds` is how long an event waits for others; `progress_seconds` the least time between two updates of a
    stage; `create_seconds` how long the start waits for the job's creation; `close_seconds` and `exit_seconds` how long
    the end, or the interpreter's without one, waits for what is not yet acknowledged.
    """

    max_events: int = 100_000
    max_bytes: int = 64 * 1024 * 1024
    flush_seconds: float = 0.5
    progress_seconds: float = 0.5
    create_seconds: float = 5.0
    close_seconds: float = 60.0
    exit_seconds: float = 10.0
    request_seconds: float = 10.0
    backoff: Backoff = field(default_factory=Backoff)
    clock: Callable[[], float] = time
    key: Callable[[], str] = new_key


class Reporter:
    """Reports one job, created by `body` unless it exists; a process forked from the job's reports nothing."""

    def __init__(self, http: "Http", job_id: str, name: str, body: bytes | None, options: ReporterOptions) -> None:
        self._http = http
        self._path = f"/job/{job_id}/events"
        self._body = body
        self._key = options.key()
        self._options = options
        self._process = os.getpid()
        self._name = f"job {name!r} ({job_id})"
        self._outbox = Outbox(Buffer(options.max_events, options.max_bytes), key=options.key)
        self._creation = Creation(self._create)
        self._sender = Sender(
            self._outbox,
            self._creation,
            self._post,
            notices=Notices(self._name, self._gap),
            backoff=options.backoff,
            flush_seconds=options.flush_seconds,
        )
        self.created: Mapping[str, Json] = {}
        """The answer to the job's creation, once there is one."""

    def start(self, tick: Callable[[], None], required: bool) -> None:
        """Create the job and begin to send, calling `tick` from the thread that sends, every `flush_seconds`.

        Raises:
            JobTrackError: it is `required` that the job is tracked, and the service refused it or stayed away for
                `close_seconds`.
        """
        if self._sender.ident is not None:
            return
        atexit.register(self._at_exit)
        self._sender.start(tick)
        self._creation.tried.wait(self._options.create_seconds)
        if required:
            self._creation.settled.wait(self._options.close_seconds)
            self._demand_created()

    def report(self, type_: str, data: Mapping[str, object], moment: float | None = None) -> None:
        """Queue one event of now, or of `moment` (seconds since 1970)."""
        if not self.here():
            return
        try:
            self._outbox.put(make_event(type_, data, self._options.clock() if moment is None else moment))
        except Exception:  # whatever a worker's own values raise, its job goes on
            LOGGER.warning("%s: an event %s cannot be reported", self._name, type_, exc_info=True)

    def flush(self, timeout: float) -> bool:
        """Wait until what was reported is settled; whether it was within `timeout` seconds."""
        return self.here() and self._outbox.flush(timeout)

    def close(self, timeout: float | None = None) -> None:
        """Send what waits for at most `timeout` seconds (default: `close_seconds`), and end."""
        if not self.here():
            return
        atexit.unregister(self._at_exit)
        seconds = self._options.close_seconds if timeout is None else timeout
        self._outbox.close(monotonic() + seconds)
        if not self._sender.join(seconds + 1):
            LOGGER.warning("%s: %d events are not acknowledged", self._name, self.stats.waiting)

    def here(self) -> bool:
        """Whether this is the process that the job began in: a forked one has no thread that sends."""
        return os.getpid() == self._process

    @property
    def thread(self) -> int | None:
        """The identifier of the thread that sends."""
        return self._sender.ident

    @property
    def stats(self) -> Stats:
        """The counts at this moment."""
        return self._outbox.stats

    def _create(self, remaining: float | None) -> None:
        if self._body is not None:
            request: Request[NewJob] = Request("POST", "/jobs", body=self._body, key=self._key)
            self.created = self._http.send(request, self._timeout(remaining)).json

    def _post(self, batch: Batch, remaining: float | None) -> None:
        request: Request[Accepted] = Request("POST", self._path, body=batch.body, key=batch.key)
        self._http.send(request, self._timeout(remaining))

    def _timeout(self, remaining: float | None) -> float:
        longest = self._options.request_seconds
        return longest if remaining is None else max(0.1, min(longest, remaining))

    def _demand_created(self) -> None:
        if self._creation.refusal is None and self._creation.settled.is_set():
            return
        self.close(0)
        raise self._creation.refusal or Unreachable("the service did not answer while the job was to be created")

    def _gap(self, message: str) -> None:
        data = {"level": "WARN", "component": "jobtrack_client", "message": message}
        # Kept whatever else goes: the notices see to it that it comes seldom.
        self._outbox.put(replace(make_event("log", data, self._options.clock()), rank=Rank.LIFECYCLE))

    def _at_exit(self) -> None:
        self.close(self._options.exit_seconds)
