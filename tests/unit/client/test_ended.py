"""Both clients and `listen` return the events of a job that has ended, and stop."""

import asyncio
import json
from collections.abc import Callable
from functools import partial
from typing import Any

import httpx
import pytest

import jobtrack_client as jt
from jobtrack_client.commands.errors import HINTS
from tests.unit.client.service import GUID, problem
from tests.unit.client.test_commands import Run, Start, start

__all__ = ["start"]

TIMELINE = [
    *(("JobQueued", 1), ("JobStarted", 2), ("StageStarted", 3), ("Progress", 5), ("Warning", 6), ("StageCompleted", 9)),
    *(("ResourceAllocated", 4), ("JobFailed", 10)),
]
LINES = [(6, "WARN"), (7, "INFO"), (8, "ERROR")]


class Ended:
    """Refuses to subscribe because the job has ended: before the request, or just then."""

    def __init__(self, status: str = "Failed", refusal: int = 409, wait: str | None = None) -> None:
        self.status = status
        headers: dict[str, Any] = {} if wait is None else {"Retry-After": wait}
        self.refusal = partial(problem, refusal, "The job has ended (Failed).", **headers)
        self.asked: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        if request.method == "POST":
            return self.refusal()
        name = request.url.path.rpartition("/")[2]
        return httpx.Response(200, json={"timeline": _timeline, "logs": _logs}.get(name, self._job)(request))

    def _job(self, request: httpx.Request) -> Any:
        progress = {"percentage": 40}
        return {"jobId": GUID, "projectId": GUID, "jobName": "n", "status": self.status, "progress": progress}


def _timeline(request: httpx.Request) -> Any:
    page = int(request.url.params.get("cursor", 0))
    told = {"timestamp": "2026-01-20T10:30:00Z", "details": {"stageName": "A"}}
    events = [{**told, "eventType": kind, "description": f"{kind}.", "sequence": number} for kind, number in TIMELINE]
    more = str(page + 3) if page + 3 < len(events) else None
    return {"timeline": events[page : page + 3], "nextCursor": more}


def _logs(request: httpx.Request) -> Any:
    told = {"timestamp": "2026-01-20T10:30:00Z", "component": None, "stage": None, "details": None}
    lines = [{**told, "level": level, "message": f"line {number}", "sequence": number} for number, level in LINES]
    return {"logs": lines, "nextCursor": None, "lastSequence": 10, "jobStatus": "Failed"}


def blocking(service: Ended, *events: Any, **more: Any) -> list[Any]:
    transport = httpx.MockTransport(service)
    with jt.Client("http://x", "t", GUID, GUID, transport=transport, sleep=lambda seconds: None) as client:
        return list(client.events(GUID, *events, **more))


def awaiting(service: Ended, *events: Any, **more: Any) -> list[Any]:
    async def collect() -> list[Any]:
        transport = httpx.MockTransport(service)
        async with jt.AsyncClient("http://x", "t", GUID, GUID, transport=transport, attempts=1) as client:
            return [message async for message in client.events(GUID, *events, **more)]

    return asyncio.run(collect())


Read = Callable[..., list[Any]]
both = pytest.mark.parametrize("read", [blocking, awaiting])


def summary(messages: list[Any]) -> list[tuple[str, int]]:
    return [(message["type"], message["data"]["sequence"]) for message in messages]


@both
def test_it_is_read_from_the_timeline_in_order_of_sequence(read: Read) -> None:
    messages = read(Ended())
    assert summary(messages) == [
        *(("jobStarted", 2), ("stageStarted", 3), ("progressUpdate", 5), ("warning", 6), ("stageCompleted", 9)),
        ("jobFailed", 10),
    ]
    data = messages[-1]["data"]
    assert (data["tenantId"], data["jobId"], data["jobName"], data["status"]) == (GUID, GUID, "n", "Failed")
    assert (data["percentage"], data["description"], data["event"]) == (40, "JobFailed.", {"stageName": "A"})
    assert len({message["id"] for message in messages}) == len(messages)
    assert [message["id"] for message in messages] == [message["id"] for message in read(Ended())]


@both
def test_events_and_the_sequence_to_begin_after_are_chosen_as_of_a_running_job(read: Read) -> None:
    assert summary(read(Ended(), ["jobQueued"])) == [("jobQueued", 1), ("jobFailed", 10)]
    assert summary(read(Ended(), since_sequence=8)) == [("stageCompleted", 9), ("jobFailed", 10)]
    assert summary(read(Ended(), since_sequence=10)) == []
    assert summary(read(Ended(), ["log"])) == [("log", 6), ("log", 7), ("log", 8), ("jobFailed", 10)]
    assert summary(read(Ended(), ["log", "warning"]))[:3] == [("warning", 6), ("log", 7), ("log", 8)]


@both
@pytest.mark.parametrize(
    ("service", "error"),
    [
        (Ended("Running"), jt.Conflict),
        (Ended(wait="0"), jt.InProgress),
        (Ended(refusal=404), jt.NotFound),
        (Ended(refusal=403), jt.Forbidden),
    ],
    ids=["another conflict", "first try under way", "no such job", "not allowed"],
)
def test_any_other_refusal_is_raised(read: Read, service: Ended, error: type[jt.ApiError]) -> None:
    with pytest.raises(error):
        read(service)


def test_listen_prints_it_and_stops(start: Start) -> None:
    run: Run = start(Ended())
    code, out, err = run("listen", GUID)
    assert (code, err) == (0, "")
    assert [row.split("\t")[1:] for row in out.splitlines()][-1] == ["10", "jobFailed", "JobFailed."]
    code, out, err = run("listen", GUID, "--json")
    assert [json.loads(row)["type"] for row in out.splitlines()][-1] == "jobFailed"


def test_logs_are_printed_and_no_more_is_waited_for(start: Start) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if "sinceSequence" in request.url.params:
            return httpx.Response(200, json={**_logs(request), "logs": []})
        return httpx.Response(200, json=_logs(request))

    code, out, err = start(answer)("logs", GUID, "-f")
    assert (code, err) == (0, "")
    assert [row.split()[-1] for row in out.splitlines()] == ["6", "7", "8"]


@pytest.mark.parametrize("command", [["listen"], ["logs", "-f"], ["watch"], ["timeline"], ["status"]], ids=" ".join)
def test_a_job_that_does_not_exist_is_told_in_one_line(start: Start, command: list[str]) -> None:
    code, out, err = start(lambda request: problem(404, "There is no such job."))(*command, GUID)
    assert (code, out) == (1, "")
    assert err == f"jobtrack: 404 some_code: There is no such job. ({HINTS[jt.NotFound]})\n"


def test_of_several_watched_jobs_the_one_that_does_not_exist_is_told(start: Start) -> None:
    other = "aa0e8400-e29b-41d4-a716-446655440000"
    tracked = {"jobId": GUID, "jobName": "a", "status": "Completed", "progress": 100}
    answer = {"jobs": [tracked], "notFound": [other]}
    code, out, err = start(lambda request: httpx.Response(200, json=answer))("watch", GUID, other)
    assert (code, out, err) == (
        1,
        "",
        f"jobtrack: the project has no job {other} ({HINTS[jt.NotFound]})\n",
    )


@pytest.mark.parametrize("secret", ["", " ", "whsec_", "whsec_%"])
@pytest.mark.parametrize("forward", [[], ["--forward-to", "http://127.0.0.1:9"]], ids=["alone", "forwarding"])
def test_listen_refuses_a_secret_that_signs_nothing(start: Start, secret: str, forward: list[str]) -> None:
    run: Run = start(Ended())
    code, out, err = run("listen", GUID, "--secret", secret, *forward)
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert err.startswith("jobtrack: a secret ")
    assert run.asked == []
