"""Following a job: its log lines, its progress and its events until it ends."""

from abc import abstractmethod
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from jobtrack_client import models
from jobtrack_client._api import final_statuses, past_events, requests
from jobtrack_client._api._async.walks import AsyncWalks
from jobtrack_client._api.requests import AnswerT, Request
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

if TYPE_CHECKING:
    from jobtrack_client._api.responses import Reply

EVENTS: tuple[EventName, ...] = (
    *("jobStarted", "jobStalled", "progressUpdate", "milestone", "warning", "error"),
    *("stageStarted", "stageCompleted", "stageFailed", "stageSkipped"),
)
WEEK_SECONDS = 7 * 24 * 3600


class AsyncFollowing(AsyncWalks):
    """What comes until a job ends; a service that is away is waited for without end."""

    _backoff: Backoff
    _language: Language | None
    _sleep: Callable[[float], Awaitable[object]]
    _tenant: str

    async def follow_logs(
        self,
        job_id: str,
        *,
        level: LogLevel | None = None,
        from_time: Time | None = None,
        since_sequence: int = 0,
        every: float = 1.0,
    ) -> AsyncIterator[models.LogEntry]:
        """Log lines after `since_sequence`, in order of sequence, each once, until the job has ended and all are read.

        Asks again after `every` seconds if nothing is new. To continue after a page of `logs`, pass its `lastSequence`.
        """
        request = requests.logs(job_id, level=level, from_time=from_time)
        while True:
            page = await self._insist(request.asking(since_sequence=since_sequence))
            for entry in page["logs"]:
                yield entry
            if page["lastSequence"] > since_sequence:
                since_sequence = page["lastSequence"]
            elif page["jobStatus"] in final_statuses.STATUSES:
                return
            else:
                await self._sleep(every)

    async def follow_progress(self, job_id: str, *, every: float = 2.0) -> AsyncIterator[models.Progress]:
        """The job's progress whenever something new was reported, looked at every so many seconds, to the job's end."""
        request = requests.progress(job_id)
        while True:
            reply = await self._insisted(request)
            if reply.json is not None:
                yield reply.json
                if reply.json["status"] in final_statuses.STATUSES:
                    return
                request = replace(request, known=reply.etag)
            await self._sleep(every)

    async def events(
        self,
        job_id: str,
        events: Sequence[EventName] | None = None,
        *,
        since_sequence: int | None = None,
        filters: Filters | None = None,
    ) -> AsyncIterator[models.Message]:
        """What is pushed of a job, over a WebSocket: in order of sequence and each once, until the job's end.

        Without `events` all but log lines; how the job ended is always among them. What happened after `since_sequence`
        comes first, else only what happens from now on. Lost connections are replaced. The subscription ends with the
        walk, or after a week. Of a job that has ended already, what happened is read from its timeline, without
        `filters`; without `since_sequence` it is everything.
        """
        names = list(dict.fromkeys([*(EVENTS if events is None else events), *final_statuses.EVENTS]))
        try:
            subscription = await self.subscribe(
                job_id,
                subscription_type="websocket",
                events=names,
                filters=filters,
                language=self._language,
                expires_in_seconds=WEEK_SECONDS,
                since_sequence=since_sequence,
            )
        except Conflict as refused:
            for past in await self._past(job_id, names, refused):
                if since_sequence is None or (past["data"]["sequence"] or 0) > since_sequence:
                    yield past
            return
        try:
            async with aclosing(self._pushed(subscription, since_sequence)) as pushed:
                async for message in pushed:
                    yield message
                    if message["type"] in final_statuses.EVENTS:
                        return
        finally:
            with suppress(JobTrackError):
                await self.delete_subscription(subscription["subscriptionId"])

    async def _past(self, job_id: str, wanted: Sequence[str], refused: Conflict) -> Sequence[models.Message]:
        """What happened to a job that has ended.

        Raises:
            Conflict: `refused`, since the job has not ended: the conflict is another one.
        """
        job = await self.get_job(job_id)
        if isinstance(refused, InProgress) or job["status"] not in final_statuses.STATUSES:
            raise refused
        timeline = self.iter_timeline(job_id, granularity="seconds", include_sub_events=True)
        events = [event async for event in timeline]
        lines = [line async for line in self.iter_logs(job_id)] if "log" in wanted else []
        return past_events.messages(job, self._tenant, events, lines, wanted)

    async def _pushed(self, made: models.NewSubscription, seen: int | None) -> AsyncGenerator[models.Message]:
        """Every event of a subscription once, over one connection after the other, until it ended."""
        url: str | None = made["websocketUrl"]
        lost = 0
        while url is not None:
            # A ticket may have been used up by a connection that was lost; a new one that is refused is an error.
            passing = (Unreachable,) if lost else (Unreachable, Unauthorized, Forbidden)
            with suppress(*passing):
                async with aclosing(self._connected(url, seen)) as messages:
                    async for message in messages:
                        lost = 0
                        sequence = message["data"].get("sequence")
                        if message["type"] == "subscriptionEnded":
                            return
                        if sequence is not None and (seen is None or sequence > seen):
                            seen = sequence
                            yield cast(models.Message, message)
            lost += 1
            await self._sleep(self._backoff.delay(lost))
            url = await self._ticket(made["subscriptionId"])

    async def _ticket(self, subscription_id: str) -> str | None:
        """Where to connect once more; None if the subscription has ended."""
        try:
            made = await self._insist(requests.issue_ticket(subscription_id, self._key()))
        except (Conflict, NotFound):
            return None
        return made["websocketUrl"]

    async def _insist(self, request: Request[AnswerT]) -> AnswerT:
        return cast(AnswerT, (await self._insisted(request)).json)

    @abstractmethod
    async def _insisted(self, request: Request[Any]) -> "Reply":
        """The answer, however long it takes to get one; refusals are raised."""

    @abstractmethod
    def _connected(self, url: str, seen: int | None) -> AsyncGenerator[dict[str, Any]]:
        """The messages of one WebSocket connection, those after the sequence `seen` first."""
