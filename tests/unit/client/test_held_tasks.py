"""A worker sends heartbeats for the tasks that it holds, except for those that have begun, ended or gone."""

from dataclasses import dataclass
from uuid import uuid4

import httpx
import pytest

from jobtrack_client.integrations.celery_heartbeats import HeldTasks
from tests.unit.client.service import client, problem


@dataclass(eq=False)
class Request:
    """The members of Celery's class that are used."""

    time_start: float | None = None
    acknowledged: bool = False


class Service:
    """Returns the next of these responses to each request."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self.answers = [*answers]
        self.jobs: list[str] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        assert request.content == b'{"events":[{"type":"heartbeat"}]}'
        self.jobs.append(request.url.path.split("/")[-2])
        answer = self.answers.pop(0) if self.answers else httpx.Response(202, json={})
        if isinstance(answer, Exception):
            raise answer
        return answer


def holding(service: Service, *requests: Request) -> tuple[HeldTasks, list[str]]:
    held = HeldTasks(client(service)._http, 3600)
    ids = [str(uuid4()) for _ in requests]
    for job_id, request in zip(ids, requests, strict=True):
        held.hold(job_id, request)
    return held, ids


@pytest.mark.parametrize("over", [Request(time_start=1.0), Request(acknowledged=True), None])
def test_only_a_task_that_waits_has_a_heartbeat(over: Request | None) -> None:
    service, waits = Service(), Request()
    held, (_, waiting) = holding(service, over or Request(), waits)
    held.send_heartbeats()
    held.send_heartbeats()
    held.stop()
    assert service.jobs == [waiting, waiting]


def test_a_job_that_has_ended_is_forgotten_and_one_that_is_unknown_is_not() -> None:
    service, requests = Service(problem(409), problem(404)), (Request(), Request())
    held, (ended, unknown) = holding(service, *requests)
    held.send_heartbeats()
    held.send_heartbeats()
    held.stop()
    assert service.jobs == [ended, unknown, unknown]


def test_an_outage_is_met_once_a_time() -> None:
    service, requests = Service(httpx.ConnectError("refused")), (Request(), Request())
    held, (first, second) = holding(service, *requests)
    held.send_heartbeats()
    assert service.jobs == [first]
    held.send_heartbeats()
    held.stop()
    assert service.jobs == [first, first, second]


def test_a_message_that_comes_again_takes_the_place_of_the_first() -> None:
    service, first, again = Service(), Request(acknowledged=True), Request()
    held, (job_id,) = holding(service, first)
    held.hold(job_id, again)
    held.send_heartbeats()
    held.stop()
    assert service.jobs == [job_id]
