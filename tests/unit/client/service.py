"""An in-memory service that follows the contract, and fails as scripted."""

import json
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import httpx

from jobtrack.domain.job import JobStatus
from jobtrack.domain.transitions import MOVES, require_allowed
from jobtrack.errors import InvalidTransition
from jobtrack_client import Backoff, Client, ReporterOptions

GUID = "cc0e8400-e29b-41d4-a716-446655440000"
Failure = Callable[[httpx.Request, "Service"], httpx.Response]
QUICK = ReporterOptions(flush_seconds=0.005, progress_seconds=0, close_seconds=20, backoff=Backoff(first=0, longest=0))


def problem(status: int, detail: str = "no", pointers: Iterable[str] = (), **headers: str) -> httpx.Response:
    errors = [{"pointer": pointer, "detail": "is wrong"} for pointer in pointers]
    body = {
        "status": status,
        "code": "some_code",
        "title": "Some",
        "detail": detail,
        "requestId": "r1",
        "errors": errors,
    }
    return httpx.Response(status, json=body, headers={"Content-Type": "application/problem+json", **headers})


class Service:
    """Stores a batch once per Idempotency-Key. A batch with an event that says `bad` is refused.

    So is one that the job's status does not allow; a job that was not created here has the status of its first report.
    """

    def __init__(self, failures: Iterable[Failure | None] = (), *, names_the_bad: bool = True) -> None:
        self.events: list[dict[str, Any]] = []
        self.jobs: list[dict[str, Any]] = []
        self.requests: list[httpx.Request] = []
        self.statuses: dict[str, str] = {}
        self.most_at_once = 0
        self._failures: Iterator[Failure | None] = iter(failures)
        self._names_the_bad = names_the_bad
        self._answered: dict[str, tuple[bytes, httpx.Response]] = {}
        self._at_once = 0
        self._lock = threading.Lock()

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self._at_once += 1
        self.most_at_once = max(self.most_at_once, self._at_once)
        try:
            self.requests.append(request)
            failure = next(self._failures, None)
            return self.answer(request) if failure is None else failure(request, self)
        finally:
            self._at_once -= 1

    def answer(self, request: httpx.Request) -> httpx.Response:
        with self._lock:
            if request.method == "GET":
                status = self.statuses.get(request.url.path.rpartition("/")[2])
                return problem(404) if status is None else httpx.Response(200, json={"status": status})
            key = request.headers.get("Idempotency-Key")
            if key is None:
                return self._store(request)
            if key not in self._answered:
                self._answered[key] = (request.content, self._store(request))
            body, response = self._answered[key]
            return response if body == request.content else problem(409, "the key was used for another body")

    def messages(self) -> list[str]:
        return [event["data"]["message"] for event in self.events if event["type"] == "log"]

    def types(self) -> list[str]:
        return [event["type"] for event in self.events]

    def notes(self) -> list[str]:
        """Return the client's own lines of the job's log."""
        return [event["data"]["message"] for event in self.events if _is_note(event)]

    def lines(self) -> list[str]:
        """Return the worker's lines of the job's log."""
        logs = (event for event in self.events if event["type"] == "log" and not _is_note(event))
        return [event["data"]["message"] for event in logs]

    def _store(self, request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content)
        if request.url.path.endswith("/jobs"):
            if body not in self.jobs:
                self.jobs.append(body)
            self.statuses.setdefault(body["jobId"], "Queued")
            return httpx.Response(201, json={**body, "links": {"self": "/there"}})
        bad = [
            f"/events/{i}/data/message" for i, event in enumerate(body["events"]) if _message(event).startswith("bad")
        ]
        if bad:
            return problem(422, "out of contract", bad if self._names_the_bad else ())
        job_id = request.url.path.split("/")[-2]
        try:
            self.statuses[job_id] = self._moved(self.statuses.get(job_id), body["events"])
        except InvalidTransition as error:
            return problem(409, str(error), [fault.pointer for fault in error.faults])
        self.events += body["events"]
        return httpx.Response(202, json={"accepted": len(body["events"]), "lastSequence": len(self.events)})

    @staticmethod
    def _moved(before: str | None, events: list[dict[str, Any]]) -> str:
        """Return the job's status after the events."""
        status = None if before is None else JobStatus(before)
        for index, event in enumerate(events):
            if status is not None:
                require_allowed(status, event["type"], index)
            status = MOVES[event["type"]][0] if event["type"] in MOVES else status or JobStatus.RUNNING
        return str(status)


def _is_note(event: dict[str, Any]) -> bool:
    return bool(event.get("data", {}).get("component") == "jobtrack_client")


def _message(event: dict[str, Any]) -> str:
    return str(event.get("data", {}).get("message", ""))


def client(handler: Callable[[httpx.Request], httpx.Response], **more: Any) -> Client:
    return Client("http://service.test", "secret", GUID, GUID, transport=httpx.MockTransport(handler), **more)


def refuse_connection(request: httpx.Request, service: Service) -> httpx.Response:
    raise httpx.ConnectError("refused", request=request)


def lose_answer(request: httpx.Request, service: Service) -> httpx.Response:
    service.answer(request)
    raise httpx.ReadTimeout("too late", request=request)


def fail_after_storing(request: httpx.Request, service: Service) -> httpx.Response:
    service.answer(request)
    return httpx.Response(502, text="<html>Bad gateway</html>")


def fail_with(status: int, **headers: str) -> Failure:
    return lambda request, service: problem(status, **headers)


def show_a_page(request: httpx.Request, service: Service) -> httpx.Response:
    return httpx.Response(200, text="<html>We are down for maintenance</html>")


OUTAGES: list[Failure] = [
    refuse_connection,
    lose_answer,
    fail_after_storing,
    fail_with(500),
    fail_with(503, **{"Retry-After": "0"}),
    fail_with(429, **{"Retry-After": "0"}),
    fail_with(408),
    fail_with(409, **{"Retry-After": "0"}),
    show_a_page,
]
TOKEN_REFUSED: list[Failure] = [fail_with(401), fail_with(403)]
"""For a job that exists these are outages too."""
