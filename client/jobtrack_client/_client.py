"""The client of one project: calls that wait for their answer, and jobs that report in the background."""

import random
import time
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Self, TypeVar

from jobtrack_client._backoff import Backoff
from jobtrack_client._delivery import Reported
from jobtrack_client._exceptions import ConfigurationError, JobTrackError
from jobtrack_client._job import Job
from jobtrack_client._options import ReporterOptions
from jobtrack_client._outbox import new_key
from jobtrack_client._plain import Json, plain
from jobtrack_client._reporter import Reporter
from jobtrack_client._settings import Token, current_job_id, guid, resolve
from jobtrack_client._shorten import dumps

if TYPE_CHECKING:
    import httpx

_Answer = TypeVar("_Answer")
Answer = dict[str, Json]


class Client:
    """Talks to one project of one tenant; may be shared between threads.

    What is not given is read from JOBTRACK_URL, JOBTRACK_TOKEN, JOBTRACK_TENANT and JOBTRACK_PROJECT. `token` may be a
    callable, which is asked before every request. A request that meets no answer, a 5xx, 408 or 429 is tried
    `attempts` times, a POST under the same Idempotency-Key, unless the service asks to wait for more than `patience`
    seconds. Every call raises a `JobTrackError` when it fails.

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
        timeout: float = 10.0,
        attempts: int = 5,
        patience: float = 60.0,
        backoff: Backoff | None = None,
        transport: "httpx.BaseTransport | None" = None,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
        key: Callable[[], str] = new_key,
    ) -> None:
        # Here, since importing httpx loads rich and click where they are installed.
        from jobtrack_client._http import Http

        settings = resolve(base_url, token, tenant_id, project_id)
        self._http = Http(settings, timeout=timeout, clock=clock, transport=transport)
        self._timeout = timeout
        self._attempts = attempts
        self._patience = patience
        self._backoff = backoff or Backoff(random=random.random)
        self._clock = clock
        self._sleep = sleep
        self._key = key

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

    def create_job(self, job: Mapping[str, object], *, idempotency_key: str | None = None) -> Answer:
        """Queue a job, by the members of `POST /jobs`; a `jobId` is chosen where there is none."""
        return self._post("/jobs", {"jobId": self._key(), **job}, idempotency_key)

    def report(
        self, job_id: str, events: Sequence[Mapping[str, object]], *, idempotency_key: str | None = None
    ) -> Answer:
        """Report events of a job, all or none: `{type, time?, data}`; answers `accepted` and `lastSequence`."""
        return self._post(f"/job/{_id(job_id)}/events", {"events": list(events)}, idempotency_key)

    def get_job(self, job_id: str) -> Answer:
        """The job: its status, its progress in short, when it began and ended."""
        return self._get(f"/job/{_id(job_id)}")

    def progress(self, job_id: str) -> Answer:
        """The job's progress, stage by stage, and what remains."""
        return self._get(f"/job/{_id(job_id)}/progress")

    def logs(
        self,
        job_id: str,
        *,
        level: str | None = None,
        from_time: str | None = None,
        to_time: str | None = None,
        limit: int | None = None,
        direction: str | None = None,
        cursor: str | None = None,
        since_sequence: int | None = None,
    ) -> Answer:
        """A page of the job's log lines of at least `level`; `nextCursor` of the answer goes on as `cursor`."""
        asked = {
            "level": level,
            "fromTime": from_time,
            "toTime": to_time,
            "limit": limit,
            "direction": direction,
            "cursor": cursor,
            "sinceSequence": since_sequence,
        }
        return self._get(
            f"/job/{_id(job_id)}/logs", {name: value for name, value in asked.items() if value is not None}
        )

    def subscribe(
        self, job_id: str, subscription: Mapping[str, object], *, idempotency_key: str | None = None
    ) -> Answer:
        """Have the job's events pushed, by the members of `POST …/subscribe`; the answer has the `signingSecret`."""
        return self._post(f"/job/{_id(job_id)}/subscribe", subscription, idempotency_key)

    def job(
        self,
        name: str,
        *,
        job_type: str,
        stages: Sequence[str | Mapping[str, object]] | None = None,
        job_id: str | None = None,
        description: str | None = None,
        priority: str | None = None,
        submitted_by: str | None = None,
        prerequisites: Sequence[Mapping[str, object]] | None = None,
        resources: Sequence[Mapping[str, object]] | None = None,
        blocking_conditions: Sequence[Mapping[str, object]] | None = None,
        subscriptions: Sequence[Mapping[str, object]] | None = None,
        metadata: Mapping[str, object] | None = None,
        heartbeat_seconds: int | None = None,
        estimated_seconds: float | None = None,
        total_records: int | None = None,
        resources_allocated: Mapping[str, object] | None = None,
        attach: bool = False,
        required: bool = False,
        options: ReporterOptions | None = None,
    ) -> Job:
        """A job that this process runs and reports, created and started by its `with` statement.

        With `attach` the job `job_id` exists already, and is only started; what else describes it is not sent.

        The job runs whether or not it can be tracked: where the service refuses it or stays away, the logger
        `jobtrack_client` is warned. With `required`, entering the `with` statement raises instead.

        Raises:
            ConfigurationError: `job_id` is not a GUID, or there is none to `attach` to.
        """
        if attach and job_id is None:
            raise ConfigurationError("attach=True needs the job_id of a job that exists")
        identity = self._key() if job_id is None else guid(job_id, "job_id")
        plan = None if stages is None else [{"stageName": item} if isinstance(item, str) else item for item in stages]
        body: dict[str, object] = {
            "jobId": identity,
            "jobName": name,
            "jobType": job_type,
            "jobDescription": description,
            "priority": priority,
            "submittedBy": submitted_by,
            "stages": plan,
            "totalRecords": total_records,
            "prerequisites": prerequisites,
            "resources": resources,
            "blockingConditions": blocking_conditions,
            "subscriptions": subscriptions,
            "heartbeatSeconds": heartbeat_seconds,
            "metadata": metadata,
        }
        started = {"resourcesAllocated": resources_allocated, "estimatedSeconds": estimated_seconds}
        chosen = options or self._options()
        reported = Reported(identity, name, None if attach else _body(body), self._key())
        return Job(identity, started, Reporter(self._http, reported, chosen), chosen, required=required)

    def attach(self, job_id: str | None = None, *, options: ReporterOptions | None = None) -> Job:
        """A job that another process runs: what is reported here is added, and its `with` neither starts nor ends it.

        Without a `job_id` it is that of JOBTRACK_JOB_ID, which `jobtrack run` sets. What is reported before the job was
        created and started waits until it was.

        Raises:
            ConfigurationError: there is no `job_id`, or it is not a GUID.
        """
        identity = current_job_id() if job_id is None else guid(job_id, "job_id")
        chosen = options or self._options()
        reporter = Reporter(self._http, Reported(identity, identity, None, self._key(), joined=True), chosen)
        return Job(identity, None, reporter, chosen, required=False)

    def _options(self) -> ReporterOptions:
        return ReporterOptions(request_seconds=self._timeout, clock=self._clock, backoff=self._backoff)

    def _get(self, path: str, params: Mapping[str, str | int | bool] | None = None) -> Answer:
        return self._persist(lambda: self._http.get(path, params))

    def _post(self, path: str, body: Mapping[str, object], key: str | None) -> Answer:
        raw, chosen = _body(body), key or self._key()
        return self._persist(lambda: self._http.post(path, raw, chosen))

    def _persist(self, send: Callable[[], _Answer]) -> _Answer:
        for tries in range(1, self._attempts):
            try:
                return send()
            except JobTrackError as error:
                if not error.transient or (error.retry_after or 0) > self._patience:
                    raise
                self._sleep(self._backoff.delay(tries, error.retry_after))
        return send()


def _id(job_id: str) -> str:
    return guid(job_id, "job_id")


def _body(members: Mapping[str, object]) -> bytes:
    return dumps({name: plain(value) for name, value in members.items() if value is not None})
