# Generated from ../_async/follow_job.py by `make client`; do not edit.
"""Iterators over the log lines, the progress and the events of a job until it ends."""

from abc import abstractmethod
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from jobtrack_client import models
from jobtrack_client._api import past_events, requests
from jobtrack_client._api._sync.pagination import Walks
from jobtrack_client._api.requests import Request, ResponseT
from jobtrack_client._api.retries import Backoff
from jobtrack_client._exceptions import (
    Conflict,
    Forbidden,
    InProgress,
    JobTrackError,
    NotFound,
    Unauthorized,
    Unreachable,
)
from jobtrack_client.types import EventName, Filters, Language, LogLevel, Time
from jobtrack_client.types.events import FINAL_EVENTS, FINAL_STATUSES

if TYPE_CHECKING:
    from jobtrack_client._api.responses import Reply

EVENTS: tuple[EventName, ...] = (
    *("jobStarted", "jobStalled", "progressUpdate", "milestone", "warning", "error"),
    *("stageStarted", "stageCompleted", "stageFailed", "stageSkipped"),
)
WEEK_SECONDS = 7 * 24 * 3600


class Following(Walks):
    """Follows a job to its end. When the service is unreachable, requests are retried without limit."""

    _backoff: Backoff
    _language: Language | None
    _sleep: Callable[[float], object]
    _tenant: str

    def follow_logs(
        self,
        job_id: str,
        *,
        level: LogLevel | None = None,
        from_time: Time | None = None,
        since_sequence: int = 0,
        every: float = 1.0,
    ) -> Iterator[models.LogEntry]:
        """Iterate over the log lines after `since_sequence`, each once and in order of sequence, until the job ends.

        New lines are requested every `every` seconds. To continue after a page of `logs`, pass its `lastSequence`.
        """
        request = requests.logs(job_id, level=level, from_time=from_time)
        while True:
            page = self._fetch_until_answered(request.with_params(since_sequence=since_sequence))
            for entry in page["logs"]:
                yield entry
            if page["lastSequence"] > since_sequence:
                since_sequence = page["lastSequence"]
            elif page["jobStatus"] in FINAL_STATUSES:
                return
            else:
                self._sleep(every)

    def follow_progress(self, job_id: str, *, every: float = 2.0) -> Iterator[models.Progress]:
        """Iterate over the changes of a job's progress, requested every `every` seconds, until the job ends."""
        request = requests.progress(job_id)
        while True:
            reply = self._send_until_answered(request)
            if reply.json is not None:
                yield reply.json
                if reply.json["status"] in FINAL_STATUSES:
                    return
                request = replace(request, etag=reply.etag)
            self._sleep(every)

    def events(
        self,
        job_id: str,
        events: Sequence[EventName] | None = None,
        *,
        since_sequence: int | None = None,
        filters: Filters | None = None,
    ) -> Iterator[models.Message]:
        """Iterate over the events of a job, each once and in order of sequence, until the job ends.

        The service pushes them over a WebSocket. Lost connections are replaced. The default is all events except log
        lines; the job's end is always included. With `since_sequence`, earlier events after that sequence come first.
        The subscription ends with the iteration, or after a week.

        If the job has ended already, its events are read from the timeline, and `filters` is ignored. Without
        `since_sequence`, all are read.
        """
        names = list(dict.fromkeys([*(EVENTS if events is None else events), *FINAL_EVENTS]))
        try:
            subscription = self.subscribe(
                job_id,
                subscription_type="websocket",
                events=names,
                filters=filters,
                language=self._language,
                expires_in_seconds=WEEK_SECONDS,
                since_sequence=since_sequence,
            )
        except Conflict as refused:
            for past in self._past(job_id, names, refused):
                if since_sequence is None or (past["data"]["sequence"] or 0) > since_sequence:
                    yield past
            return
        try:
            with closing(self._pushed(subscription, since_sequence)) as pushed:
                for message in pushed:
                    yield message
                    if message["type"] in FINAL_EVENTS:
                        return
        finally:
            with suppress(JobTrackError):
                self.delete_subscription(subscription["subscriptionId"])

    def _past(self, job_id: str, names: Sequence[str], refused: Conflict) -> Sequence[models.Message]:
        """Return the events of a job that has ended, as they were pushed.

        Raises:
            Conflict: the job has not ended, so the conflict `refused` has another reason.
        """
        job = self.get_job(job_id)
        if isinstance(refused, InProgress) or job["status"] not in FINAL_STATUSES:
            raise refused
        timeline = self.iter_timeline(job_id, granularity="seconds", include_sub_events=True)
        events = [event for event in timeline]
        lines = [line for line in self.iter_logs(job_id)] if "log" in names else []
        return past_events.messages(job, self._tenant, events, lines, names)

    def _pushed(self, subscription: models.NewSubscription, seen: int | None) -> Generator[models.Message]:
        """Iterate over the events of a subscription, each once, until it ends. Lost connections are replaced."""
        url: str | None = subscription["websocketUrl"]
        lost = 0
        while url is not None:
            # A connection that was lost may have used up the ticket. The refusal of a new ticket is an error.
            transient = (Unreachable,) if lost else (Unreachable, Unauthorized, Forbidden)
            with suppress(*transient), closing(self._connected(url, seen)) as messages:
                for message in messages:
                    lost = 0
                    sequence = message["data"].get("sequence")
                    if message["type"] == "subscriptionEnded":
                        return
                    if sequence is not None and (seen is None or sequence > seen):
                        seen = sequence
                        yield cast(models.Message, message)
            lost += 1
            self._sleep(self._backoff.delay(lost))
            url = self._new_url(subscription["subscriptionId"])

    def _new_url(self, subscription_id: str) -> str | None:
        """Return the URL of a new connection; None if the subscription has ended."""
        try:
            ticket = self._fetch_until_answered(requests.issue_ticket(subscription_id, self._key()))
        except (Conflict, NotFound):
            return None
        return ticket["websocketUrl"]

    def _fetch_until_answered(self, request: Request[ResponseT]) -> ResponseT:
        return cast(ResponseT, (self._send_until_answered(request)).json)

    @abstractmethod
    def _send_until_answered(self, request: Request[Any]) -> "Reply":
        """Send a request until there is a response. Errors that are not transient are raised."""

    @abstractmethod
    def _connected(self, url: str, seen: int | None) -> Generator[dict[str, Any]]:
        """Iterate over the messages of one connection, beginning with those after the sequence `seen`."""
