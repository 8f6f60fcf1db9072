# Made from ../_async/client.py by `make client`: change that instead.
"""The client of one project: calls that wait for their answer."""

import random
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import replace
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, cast

from jobtrack_client import _endings, _requests, models
from jobtrack_client._backoff import Backoff
from jobtrack_client._exceptions import Conflict, Forbidden, JobTrackError, NotFound, Unauthorized, Unreachable
from jobtrack_client._outbox import new_key
from jobtrack_client._patience import Patience
from jobtrack_client._requests import AnswerT, Members, Request, Time
from jobtrack_client._settings import Token, resolve
from jobtrack_client._sync.endpoints import Endpoints

if TYPE_CHECKING:
    import httpx

    from jobtrack_client._answers import Reply

EVENTS = (
    *("jobStarted", "jobStalled", "progressUpdate", "milestone", "warning", "error"),
    *("stageStarted", "stageCompleted", "stageFailed", "stageSkipped"),
)
WEEK_SECONDS = 7 * 24 * 3600


class Client(Endpoints):
    """Talks to one project of one tenant.

    What is not given is read from JOBTRACK_URL, JOBTRACK_TOKEN, JOBTRACK_TENANT and JOBTRACK_PROJECT. `token` may be a
    callable, which is asked before every request. A request that meets no answer, a 5xx, 408 or 429 is tried
    `attempts` times, a POST under the same Idempotency-Key, unless the service asks to wait for more than `patience`
    seconds. `language` (`ja` or `en`) is that of descriptions. Every call raises a `JobTrackError` when it fails.

    Raises:
        ConfigurationError: something is missing or cannot be used.
    """

    def __init__(
        self,
        base_url: str | None = None,
        token: Token | None = None,
        tenant_id: str | None = None,
        project_id: str | None = None,
        *,
        language: str | None = None,
        timeout: float = 10.0,
        attempts: int = 5,
        patience: float = 60.0,
        backoff: Backoff | None = None,
        transport: "httpx.BaseTransport | None" = None,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], object] | None = None,
        messages: Callable[[str, int | None, float], Generator[dict[str, Any]]] | None = None,
        key: Callable[[], str] = new_key,
    ) -> None:
        # Here, since importing httpx loads rich and click where they are installed.
        from jobtrack_client._sync import http

        settings = resolve(base_url, token, tenant_id, project_id)
        self._http = http.Http(settings, timeout=timeout, clock=clock, language=language, transport=transport)
        self._timeout = timeout
        self._backoff = backoff or Backoff(random=random.random)
        self._patience = Patience(attempts, patience, self._backoff)
        self._clock = clock
        self._language = language
        self._sleep = sleep or http.sleep
        self._messages = messages
        self._new_key = key

    def __enter__(self) -> Self:
        """The client itself, closed at the end of the `with` statement."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close the connections."""
        self.close()

    def close(self) -> None:
        """Close the connections; its jobs must have been closed before."""
        self._http.close()

    def iter_jobs(
        self,
        *,
        status: str | Sequence[str] | None = None,
        job_type: str | None = None,
        submitted_by: str | None = None,
        from_time: Time | None = None,
        to_time: Time | None = None,
    ) -> Iterator[models.Job]:
        """All of the project's jobs, newest first, asked for a page at a time."""
        wanted = {"status": status, "jobType": job_type, "submittedBy": submitted_by}
        for job in self._items(_requests.jobs(**wanted, **{"from": from_time, "to": to_time}), "jobs"):
            yield job

    def iter_logs(
        self,
        job_id: str,
        *,
        level: str | None = None,
        from_time: Time | None = None,
        to_time: Time | None = None,
    ) -> Iterator[models.LogEntry]:
        """All log lines of at least `level`, oldest first, asked for a page at a time."""
        request = _requests.logs(job_id, level=level, fromTime=from_time, toTime=to_time, direction="forward")
        for entry in self._items(request, "logs"):
            yield entry

    def iter_timeline(
        self, job_id: str, *, granularity: str | None = None, include_sub_events: bool | None = None
    ) -> Iterator[models.TimelineEvent]:
        """All that happened, oldest first, asked for a page at a time."""
        request = _requests.timeline(job_id, granularity=granularity, includeSubEvents=include_sub_events)
        for event in self._items(request, "timeline"):
            yield event

    def iter_subscriptions(self, job_id: str) -> Iterator[models.Subscription]:
        """All of the job's subscriptions, asked for a page at a time."""
        for subscription in self._items(_requests.subscriptions(job_id), "subscriptions"):
            yield subscription

    def iter_deliveries(self, subscription_id: str) -> Iterator[models.Delivery]:
        """What became of each message, newest first, asked for a page at a time."""
        for delivery in self._items(_requests.deliveries(subscription_id), "deliveries"):
            yield delivery

    def follow_logs(
        self, job_id: str, *, level: str | None = None, since_sequence: int = 0, every: float = 1.0
    ) -> Iterator[models.LogEntry]:
        """Log lines in order of sequence, each once, as they come; ends once the job has ended and all are told.

        Asks again after `every` seconds where nothing is new; a service that is away is waited for without end.
        """
        while True:
            page = self._insist(_requests.logs(job_id, level=level, sinceSequence=since_sequence))
            for entry in page["logs"]:
                yield entry
            if page["lastSequence"] > since_sequence:
                since_sequence = page["lastSequence"]
            elif page["jobStatus"] in _endings.STATUSES:
                return
            else:
                self._sleep(every)

    def follow_progress(self, job_id: str, *, every: float = 2.0) -> Iterator[models.Progress]:
        """The job's progress whenever something new was reported, looked at every so many seconds, to the job's end.

        A service that is away is waited for without end.
        """
        request = _requests.progress(job_id)
        while True:
            reply = self._insisted(request)
            if reply.json is not None:
                yield reply.json
                if reply.json["status"] in _endings.STATUSES:
                    return
                request = replace(request, known=reply.etag)
            self._sleep(every)

    def events(
        self,
        job_id: str,
        events: Sequence[str] | None = None,
        *,
        since_sequence: int | None = None,
        filters: Members | None = None,
    ) -> Iterator[models.Pushed]:
        """What is pushed of a job, over a WebSocket: in order of sequence and each once, until the job's end was told.

        Without `events` all but log lines; how the job ended is always among them. What happened after `since_sequence`
        comes first, else only what happens from now on. Connections that are lost, and a service that is away, are
        waited for without end. The subscription ends with the walk, or after a week.
        """
        wanted = list(dict.fromkeys([*(EVENTS if events is None else events), *_endings.EVENTS]))
        body = {"events": wanted, "filters": filters, "sinceSequence": since_sequence, "language": self._language}
        how = {"subscriptionType": "websocket", "expiresInSeconds": WEEK_SECONDS}
        made = self.subscribe(job_id, {**how, **body})
        try:
            with closing(self._pushed(made, since_sequence)) as pushed:
                for message in pushed:
                    yield message
                    if message["type"] in _endings.EVENTS:
                        return
        finally:
            with suppress(JobTrackError):
                self.delete_subscription(made["subscriptionId"])

    def _pushed(self, made: models.NewSubscription, seen: int | None) -> Generator[models.Pushed]:
        """Every event of a subscription once, over one connection after the other, until it ended."""
        url: str | None = made["websocketUrl"]
        lost = 0
        while url is not None:
            # A ticket may have been used up by a connection that was lost; a new one that is refused is an error.
            passing = (Unreachable,) if lost else (Unreachable, Unauthorized, Forbidden)
            with suppress(*passing), closing(self._connected(url, seen)) as messages:
                for message in messages:
                    lost = 0
                    sequence = message["data"].get("sequence")
                    if message["type"] == "subscriptionEnded":
                        return
                    if sequence is not None and (seen is None or sequence > seen):
                        seen = sequence
                        yield cast(models.Pushed, message)
            lost += 1
            self._sleep(self._backoff.delay(lost))
            url = self._ticket(made["subscriptionId"])

    def _ticket(self, subscription_id: str) -> str | None:
        """Where to connect once more; None if the subscription has ended."""
        try:
            made = self._insist(_requests.issue_ticket(subscription_id, self._key()))
        except (Conflict, NotFound):
            return None
        return made["websocketUrl"]

    def _connected(self, url: str, seen: int | None) -> Generator[dict[str, Any]]:
        # Here, since most clients need no WebSockets.
        from jobtrack_client._sync import sockets

        return (self._messages or sockets.messages)(url, seen, self._timeout)

    def _key(self) -> str:
        return self._new_key()

    def _ask(self, request: Request[AnswerT]) -> AnswerT:
        return cast(AnswerT, (self._sent(request)).json)

    def _sent(self, request: Request[Any]) -> "Reply":
        tries = 0
        while True:
            try:
                return self._http.send(request)
            except JobTrackError as error:
                tries += 1
                self._sleep(self._patience.wait(tries, error))

    def _insist(self, request: Request[AnswerT]) -> AnswerT:
        return cast(AnswerT, (self._insisted(request)).json)

    def _insisted(self, request: Request[Any]) -> "Reply":
        """The answer, however long it takes to get one; refusals are raised."""
        while True:
            try:
                return self._sent(request)
            except JobTrackError as error:
                if not error.transient:
                    raise
                self._sleep(self._backoff.delay(self._patience.attempts, error.retry_after))

    def _items(self, request: Request[Any], name: str) -> Iterator[Any]:
        """The items of every page from this one on."""
        cursor: str | None = ""
        while cursor is not None:
            page = self._ask(request.asking(cursor=cursor or None))
            for item in page[name]:
                yield item
            cursor = page["nextCursor"]
