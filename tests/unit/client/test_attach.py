"""A job that another process runs: reported to, never started or ended, and waited for until it exists."""

import pickle
from collections.abc import Iterator
from copy import copy
from typing import Any

import httpx
import pytest

import jobtrack_client as jt
from tests.unit.client.service import GUID, QUICK, Service, client, problem


class Late:
    """A service in which the job has the next of `statuses` with each request; events wait for Running."""

    def __init__(self, statuses: list[str | None]) -> None:
        self.service = Service()
        self.asked = 0
        self._statuses: Iterator[str | None] = iter(statuses)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        status = next(self._statuses, "Running")
        self.asked += 1
        if status is None:
            return problem(404)
        if request.method == "GET":
            return httpx.Response(200, json={"status": status})
        if status == "Running":
            return self.service(request)
        return problem(409, "stageStarted needs a job that is Running", pointers=["/events/0"])


def work(handler: Any) -> jt.Job:
    with client(handler).attach(GUID, options=QUICK) as job, job.stage("Load"):
        job.log("INFO", "here too")
    return job


def test_its_with_statement_neither_starts_nor_ends_it() -> None:
    service = Service()
    assert work(service).job_id == GUID
    assert service.jobs == []
    assert service.types() == ["stageStarted", "log", "stageCompleted"]


def test_an_exception_of_one_of_its_workers_does_not_end_it() -> None:
    service = Service()
    with pytest.raises(ValueError, match="mine"), client(service).attach(GUID, options=QUICK):
        raise ValueError("mine")
    assert service.types() == []


def test_its_end_can_be_told_all_the_same() -> None:
    service = Service()
    with client(service).attach(GUID, options=QUICK) as job:
        job.fail("out of disk", exitCode=3)
    assert service.events[-1]["data"] == {"error": {"message": "out of disk", "exitCode": 3}}


@pytest.mark.parametrize("statuses", [[None, None], ["Queued", "Queued"], [None, "Queued", "Queued", "Queued"]])
def test_what_comes_before_its_start_waits(statuses: list[str | None]) -> None:
    late = Late(statuses)
    job = work(late)
    assert late.service.types() == ["stageStarted", "log", "stageCompleted"]
    assert job.stats.dropped == {}


def test_what_comes_after_its_end_is_refused_as_the_service_says() -> None:
    late = Late(["Completed"] * 100)
    job = work(late)
    assert job.stats.reasons == {jt.Reason.REFUSED: 3}


def test_the_job_is_that_of_the_environment_unless_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(jt.ConfigurationError, match="pass it to attach or set JOBTRACK_JOB_ID"):
        client(Service()).attach()
    monkeypatch.setenv("JOBTRACK_JOB_ID", GUID.upper())
    assert client(Service()).attach().job_id == GUID
    monkeypatch.setenv("JOBTRACK_JOB_ID", "nonsense")
    with pytest.raises(jt.ConfigurationError, match="JOBTRACK_JOB_ID must be a GUID"):
        client(Service()).attach()


def test_a_job_that_is_pickled_is_itself_where_it_runs_and_is_attached_to_elsewhere() -> None:
    with client(Service()).job("Import", job_type="import", job_id=GUID, options=QUICK) as job:
        assert copy(job) is job  # as pickle creates it
    attached = copy(job)
    assert (attached.job_id, attached is job) == (GUID, False)
    attached.close(0)


def test_a_job_whose_token_callable_cannot_be_pickled_says_so() -> None:
    job = jt.Client("http://service.test", lambda: "t", GUID, GUID).job("Import", job_type="import")
    with pytest.raises(
        TypeError, match="the token callable of a Job that is sent to another process must be picklable"
    ):
        pickle.dumps(job)


def resumed(handler: Any) -> jt.Job:
    job = client(handler).job("Import", job_type="import", job_id=GUID, resume=True, options=QUICK)
    with job:
        job.log("INFO", "on with it")
    return job


def test_a_job_that_is_resumed_is_created_and_started_where_it_is_not() -> None:
    service = Service()
    job = resumed(service)
    assert len(service.jobs) == 1
    assert service.types() == ["jobStarted", "log", "jobCompleted"]
    assert job.created["links"]


@pytest.mark.parametrize("creation", [201, 409])
def test_a_job_that_is_resumed_is_not_started_twice(creation: int, caplog: pytest.LogCaptureFixture) -> None:
    service = Service()
    service.statuses[GUID] = "Running"

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/jobs") and creation == 409:
            return problem(409, "exists, as somebody else described it")
        return service(request)

    job = resumed(answer)
    assert service.types() == ["log", "jobCompleted"]
    assert job.stats.dropped == {}
    assert caplog.records == []
