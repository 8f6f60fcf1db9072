"""A job whose description is refused is created without the refused members."""

import json
from typing import Any

import httpx
import pytest

import jobtrack_client as jt
from tests.unit.client.service import QUICK, Failure, Service, client, problem

OTHER = "dd0e8400-e29b-41d4-a716-446655440000"
DESCRIBED: dict[str, Any] = {
    "stages": ["a", "b", "c"],
    "priority": "High",
    "metadata": {"a": 1},
    "prerequisites": [{"job_id": OTHER}],
}


def refuse(status: int, *pointers: str) -> Failure:
    return lambda request, service: problem(status, pointers=pointers)


@pytest.mark.parametrize(
    ("refusals", "left"),
    [
        ([refuse(422, "/priority")], {"stages": ["a", "b", "c"], "metadata": {"a": 1}, "prerequisites": [OTHER]}),
        (
            [refuse(422, "/stages/0/weight", "/stages/2/stageName", "/prerequisites/0/jobId")],
            {"stages": ["b"], "priority": "High", "metadata": {"a": 1}, "prerequisites": []},
        ),
        (
            [refuse(422, "/stages", "/stages/1"), refuse(422, "/metadata/a")],
            {"priority": "High", "prerequisites": [OTHER]},
        ),
        ([refuse(413)], {"priority": "High"}),
        ([refuse(422, "/priority"), refuse(503), refuse(422, "/priority")], {k: DESCRIBED[k] for k in ("stages",)}),
    ],
)
def test_what_was_refused_is_left_out(
    refusals: list[Failure], left: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    service = Service(refusals)
    with client(service) as api, api.job("n", job_type="t", options=QUICK, **DESCRIBED) as job:
        assert job.flush(20)
    (made,) = service.jobs
    found = {name: made[name] for name in DESCRIBED if name in made}
    if "stages" in found:
        found["stages"] = [stage["stageName"] for stage in found["stages"]]
    if "prerequisites" in found:
        found["prerequisites"] = [each["jobId"] for each in found["prerequisites"]]
    assert {name: found[name] for name in left} == left
    assert service.types() == ["jobStarted", "jobCompleted"]
    assert "created without what the service refused: " in caplog.text
    keys: dict[str, bytes] = {}
    for request in service.requests:
        assert keys.setdefault(request.headers["Idempotency-Key"], request.content) == request.content


@pytest.mark.parametrize("pointers", [(), ("/jobName",), ("/jobType", "/jobId"), ("/query/x",), ("",)])
def test_what_a_job_cannot_be_without_stays_refused(pointers: tuple[str, ...]) -> None:
    service = Service([refuse(422, *pointers)] * 5)
    with client(service) as api, pytest.raises(jt.Unprocessable):
        api.job("n", job_type="t", options=QUICK, required=True).start()
    assert len(service.requests) == 1


def test_a_refused_member_costs_no_more_requests_than_there_are_members() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        members = [name for name in json.loads(request.content) if name not in ("jobId", "jobName", "jobType")]
        return problem(422, pointers=[f"/{name}" for name in members[:1]])

    service = Service()
    asked: list[httpx.Request] = []

    def count(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return answer(request) if request.url.path.endswith("/jobs") else service(request)

    with client(count) as api, pytest.raises(jt.Unprocessable):
        api.job("n", job_type="t", options=QUICK, required=True, **DESCRIBED).start()
    assert len(asked) <= 1 + 5
