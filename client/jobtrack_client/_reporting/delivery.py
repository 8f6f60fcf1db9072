"""Delivers the events of one process: its buffer, its sending thread, and its requests."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from jobtrack_client._api.requests import Request, get_job
from jobtrack_client._exceptions import Conflict, Forbidden, JobTrackError, NotFound, Unreachable
from jobtrack_client._reporting.batches import Batch
from jobtrack_client._reporting.buffer import Buffer
from jobtrack_client._reporting.creation import Creation
from jobtrack_client._reporting.event_queue import EventQueue
from jobtrack_client._reporting.heartbeat import Heartbeat
from jobtrack_client._reporting.notices import Notices
from jobtrack_client._reporting.options import ReporterOptions
from jobtrack_client._reporting.queued_events import Event, make_event
from jobtrack_client._reporting.refusals import send_reduced
from jobtrack_client._reporting.sender import Sender
from jobtrack_client._reporting.stats import Reason
from jobtrack_client._values.json_values import Json

if TYPE_CHECKING:
    from jobtrack_client._api._sync.http import Http


@dataclass(frozen=True)
class Reported:
    """The job that is reported. It is created with `body` and `key`, unless it exists.

    If `joined`, another process creates and starts the job, possibly later. If `resumed`, another process may have
    started it. After `silence` seconds without a report, a heartbeat is sent; None: never.
    """

    job_id: str
    name: str
    body: bytes | None
    key: str
    joined: bool = False
    resumed: bool = False
    silence: float | None = None

    def __str__(self) -> str:
        """Return the job's name and id, as warnings show them."""
        return f"job {self.name!r} ({self.job_id})"


class Delivery:
    """Sends the events in its buffer, once it is started."""

    def __init__(self, http: "Http", job: Reported, options: ReporterOptions) -> None:
        self._http = http
        self._job = job
        self._options = options
        self._begun = False
        self.created: Mapping[str, Json] = {}
        """The response to the job's creation, if there is one yet."""
        self.start: Event | None = None
        """The event that starts a resumed job, if it is not running."""
        self.earlier: Sender | None = None
        """The sender of a closed reporter of the same job, whose events go first."""
        self.notices = Notices(str(job))
        self.buffer = Buffer(EventQueue(options.max_events, options.max_bytes), key=options.key)
        # A forked process cannot know whether its parent has created the job in the meantime.
        self.creation = Creation(self._create, exists=job.body is None or job.joined)
        self.sender = Sender(
            self.buffer,
            self.creation,
            self._post,
            notices=self.notices,
            make_note=self._note,
            backoff=options.backoff,
            flush_seconds=options.flush_seconds,
            heartbeat=Heartbeat(job.silence),
        )

    def inherited(self) -> "Delivery":
        """Return the delivery of a forked process. It does not create the job if the parent knows that it exists.

        It sends no heartbeats: a pool's process that outlives its killed parent would hide that the job is dead.
        """
        body = None if self.creation.settled.is_set() else self._job.body
        delivery = Delivery(self._http, replace(self._job, body=body, joined=True, silence=None), self._options)
        delivery.creation.refusal = self.creation.refusal
        return delivery

    def end(self) -> None:
        """Drop all events, if this process never sent any."""
        self.buffer.shut(Reason.UNDELIVERED, Reason.CLOSED)
        self.notices.ended(self.buffer.stats)

    def _create(self, remaining: float | None) -> None:
        if self.earlier is not None:
            self.earlier.join(self._options.close_seconds if remaining is None else remaining)
            self.earlier = None
        if self.creation.refusal is not None:
            raise self.creation.refusal
        if self._job.body is not None:
            self.created = self._created(remaining)
        self.creation.exists = True
        if self.start is not None:
            self._start(Batch(f"{self._job.key}-start", (self.start,)), remaining)

    def _start(self, start: Batch, remaining: float | None) -> None:
        try:
            self._report(start, remaining)
        except Conflict as error:
            if error.transient:
                raise
            # The job was started before.

    def _created(self, remaining: float | None) -> Mapping[str, Json]:
        def send(body: bytes, left_out: int) -> Mapping[str, Json]:
            # Another body with the same key would be a conflict.
            key = f"{self._job.key}-{left_out}" if left_out else self._job.key
            response: Mapping[str, Json] = self._send(Request("POST", "/jobs", body=body, key=key), remaining)
            return response

        try:
            response, left_out = send_reduced(send, self._job.body or b"")
        except Conflict as error:
            if error.transient or not self._job.resumed:
                raise
            return self.created  # it existed before, with another description
        self.notices.reduced(left_out)
        return response

    def _post(self, batch: Batch, remaining: float | None) -> None:
        try:
            self._report(batch, remaining)
        except (Conflict, NotFound) as error:
            waits = self._job.joined and batch.key is not None
            error.transient = error.transient or (waits and self._begins_later(error, remaining))
            raise

    def _begins_later(self, error: JobTrackError, remaining: float | None) -> bool:
        """Return whether the service may accept a refused batch after the job's own process has started the job."""
        if isinstance(error, NotFound):
            return True
        if self._begun:
            return False
        try:
            status = self._status(remaining)
        except Forbidden:  # the token may report, but not read
            return False
        self._begun = status != "Queued"
        return status in ("Queued", "Running")

    def _report(self, batch: Batch, remaining: float | None) -> None:
        path = f"/job/{self._job.job_id}/events"
        self._send(Request("POST", path, body=batch.body, key=batch.key), remaining)

    def _status(self, remaining: float | None) -> Json:
        status: Json = self._send(get_job(self._job.job_id), remaining)["status"]
        return status

    def _send(self, request: Request[Any], remaining: float | None) -> Any:
        longest = self._options.request_seconds
        try:
            return self._http.send(request, longest if remaining is None else max(0.1, min(longest, remaining))).json
        except (KeyboardInterrupt, SystemExit) as error:  # raised by a token callable or a transport
            raise Unreachable(f"the request ended with {error!r}") from error

    def _note(self, message: str) -> Event:
        """Return a line of the client itself for the job's log."""
        data = {"level": "WARN", "component": "jobtrack_client", "message": message}
        return make_event("log", data, self._options.clock())
