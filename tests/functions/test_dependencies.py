"""A job's prerequisites and dependents."""

import json
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from jobtrack import limits
from tests.functions.conftest import Invoke

Sample = Callable[[str], dict[str, Any]]
Json = dict[str, Any]


class Project:
    """Jobs of one project, created, reported on and read through the functions."""

    def __init__(self, invoke: Invoke, sample: Sample) -> None:
        self.invoke = invoke
        self.sample = sample

    def create(self, name: str, *prerequisites: str, expected: int = 201, **more: Any) -> str:
        event = self.sample("create-job")
        body = {"jobId": str(uuid4()), "jobName": name, "jobType": "Test", **more}
        wanted = [{"jobId": each} for each in prerequisites]
        event["body"] = json.dumps({"prerequisites": wanted, **body})
        del event["headers"]["idempotency-key"]
        answer = self.invoke("JobsFunction", event)
        assert answer["statusCode"] == expected, answer["body"]
        return str(body["jobId"])

    def report(self, job_id: str, *events: Json) -> None:
        event = self._about(job_id, "report-events")
        event["body"] = json.dumps({"events": events})
        event["headers"].pop("idempotency-key", None)
        answer = self.invoke("EventsFunction", event)
        assert answer["statusCode"] == 202, answer["body"]

    def answer(self, job_id: str, depth: int = 1, known: str = "") -> Json:
        event = self._about(job_id, "get-dependencies")
        event["rawQueryString"] = f"depth={depth}"
        event["headers"]["if-none-match"] = known
        return self.invoke("DependenciesFunction", event)

    def around(self, job_id: str, depth: int = 1) -> Json:
        answer = self.answer(job_id, depth)
        assert answer["statusCode"] == 200, answer["body"]
        found: Json = json.loads(answer["body"])
        return found

    def _about(self, job_id: str, name: str) -> Json:
        event = self.sample(name)
        old = event["pathParameters"]["jobId"]
        changed: Json = json.loads(json.dumps(event).replace(old, job_id))
        return changed


@pytest.fixture
def project(invoke: Invoke, sample: Sample) -> Project:
    return Project(invoke, sample)


def started(**data: Any) -> Json:
    return {"type": "jobStarted", "data": data}


COMPLETED = {"type": "jobCompleted"}


def names(answer: Json, kind: str) -> dict[str, int]:
    """Return names and distances of the jobs of a kind."""
    return {each["jobName"]: each["distance"] for each in answer["dependencies"][kind]}


def edges(answer: Json) -> set[tuple[str, str, str]]:
    nodes = {node["id"]: node["jobName"] for node in answer["dependencyGraph"]["nodes"]}
    assert len(nodes) == len(answer["dependencyGraph"]["nodes"])
    return {(nodes[each["from"]], nodes[each["to"]], each["type"]) for each in answer["dependencyGraph"]["edges"]}


def test_the_sample_is_answered(invoke: Invoke, sample: Sample) -> None:
    assert invoke("JobsFunction", sample("create-job"))["statusCode"] == 201
    answer = invoke("DependenciesFunction", sample("get-dependencies"))
    body = json.loads(answer["body"])
    assert answer["statusCode"] == 200
    assert body["dependencyGraph"]["nodes"] == [
        {"id": body["jobId"], "type": "CurrentJob", "status": "Queued", "jobName": "Customer Journey Analysis"}
    ]
    (resource,) = body["dependencies"]["resourceDependencies"]
    assert (resource["resourceName"], resource["status"]) == ("customer_events.csv", None)


def test_jobs_before_and_after_have_their_present_status(project: Project) -> None:
    first = project.create("first")
    job = project.create("job", prerequisites=[{"jobId": first, "dependency": "data"}])
    project.create("last", prerequisites=[{"jobId": job}, {"jobId": first, "dependency": "too"}])
    project.report(first, started(), COMPLETED)
    found = project.around(job)["dependencies"]
    assert [(each["status"], each["dependency"]) for each in found["prerequisiteJobs"]] == [("Completed", "data")]
    assert [(each["status"], each["waitingFor"]) for each in found["dependentJobs"]] == [("Queued", "job results")]
    of_first = project.around(first)["dependencies"]["dependentJobs"]
    assert {each["jobName"]: each["waitingFor"] for each in of_first} == {"job": "data", "last": "too"}


def test_depth_walks_further_and_shows_each_job_once(project: Project) -> None:
    root = project.create("root")
    left, right = project.create("left", root), project.create("right", root)
    job = project.create("job", left, right)
    after = project.create("after", job)
    project.create("end", job, after)
    near, far = project.around(job), project.around(job, depth=2)
    assert names(near, "prerequisiteJobs") == {"left": 1, "right": 1}
    assert names(near, "dependentJobs") == {"after": 1, "end": 1}
    assert names(far, "prerequisiteJobs") == {"left": 1, "right": 1, "root": 2}
    assert names(far, "dependentJobs") == {"after": 1, "end": 1}
    assert edges(far) - edges(near) == {
        ("root", "left", "prerequisite"), ("root", "right", "prerequisite"), ("after", "end", "dependency"),
    }  # fmt: skip
    assert far["dependencyGraph"]["complete"] is True
    assert names(project.around(root, depth=10), "dependentJobs") == {
        "left": 1, "right": 1, "job": 2, "after": 3, "end": 3,
    }  # fmt: skip


def test_a_job_that_was_refused_with_prerequisites_leaves_no_dependents(project: Project) -> None:
    asked, other = project.create("asked"), project.create("other")
    job = project.create("job", other)
    project.create("another body", asked, jobId=job, expected=409)
    assert names(project.around(asked), "dependentJobs") == {}
    assert names(project.around(other), "dependentJobs") == {"job": 1}
    project.create("later", job)
    assert names(project.around(asked, depth=3), "dependentJobs") == {}


def test_more_jobs_than_an_answer_shows_are_left_out_and_said_to_be(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = project.create("first")
    for number in range(4):
        project.create(f"{number}", first)
    monkeypatch.setattr(limits, "GRAPH_JOBS", 4)
    found = project.around(first, depth=2)
    assert len(found["dependencies"]["dependentJobs"]) == 3
    assert found["dependencyGraph"]["complete"] is False
    assert len(found["dependencyGraph"]["edges"]) == 3


def test_reports_change_resources_and_conditions(project: Project) -> None:
    declared = {"resourceType": "Dataset", "resourceId": "d", "resourceName": "Data", "status": "Available"}
    conditions = [{"condition": "c1", "status": "Active"}, {"condition": "c2", "status": "Resolved"}]
    job = project.create("job", resources=[declared], blockingConditions=conditions)
    node = {"resourceType": "GPU", "resourceId": "g", "resourceName": "A big one"}
    project.report(
        job,
        {"type": "resourceAllocated", "time": "2024-01-20T10:31:00Z", "data": node},
        {"type": "unblocked", "time": "2024-01-20T10:32:00Z", "data": {"condition": "c1", "resolution": "more"}},
        {"type": "blocked", "time": "2024-01-20T10:32:30Z", "data": {"condition": "c3"}},
    )
    project.report(job, started(resourcesAllocated={"workerNode": "w"}))
    project.report(
        job, {"type": "resourceReleased", "time": "2024-01-20T10:33:00Z", "data": {**node, "status": "Idle"}}
    )
    found = project.around(job)
    data, gpu, worker = found["dependencies"]["resourceDependencies"]
    assert (data["status"], data["allocatedAt"]) == ("Available", None)
    assert (gpu["status"], gpu["allocatedAt"], gpu["releasedAt"]) == (
        "Idle", "2024-01-20T10:31:00Z", "2024-01-20T10:33:00Z",
    )  # fmt: skip
    assert (worker["resourceType"], worker["resourceId"], worker["status"]) == ("ComputeNode", "w", "Allocated")
    assert [(each["condition"], each["status"], each["resolvedAt"]) for each in found["blockingConditions"]] == [
        ("c1", "Resolved", "2024-01-20T10:32:00Z"), ("c2", "Resolved", None), ("c3", "Active", None),
    ]  # fmt: skip
    assert found["blockingConditions"][0]["resolution"] == "more"
    project.report(job, COMPLETED)
    assert project.around(job)["dependencies"]["resourceDependencies"][2]["status"] == "Released"


def test_the_tag_changes_with_every_job_that_is_shown_and_with_no_other(project: Project) -> None:
    first, stranger = project.create("first"), project.create("stranger")
    job = project.create("job", first)

    def unchanged(known: str) -> bool:
        return bool(project.answer(job, known=known)["statusCode"] == 304)

    tag = project.answer(job)["headers"]["etag"]
    project.report(stranger, started())
    assert unchanged(tag)
    project.report(first, started())
    assert not unchanged(tag)
    tag = project.answer(job)["headers"]["etag"]
    project.create("last", job)
    assert not unchanged(tag)
    assert project.answer(job, depth=2, known=tag)["statusCode"] == 200


@pytest.mark.parametrize("depth", ["0", "11", "one", ""])
def test_a_depth_that_is_none_is_refused(invoke: Invoke, sample: Sample, depth: str) -> None:
    event = sample("get-dependencies")
    event["rawQueryString"] = f"depth={depth}"
    answer = invoke("DependenciesFunction", event)
    assert answer["statusCode"] == 422
    assert json.loads(answer["body"])["errors"][0]["pointer"] == "/query/depth"


def test_a_job_that_does_not_exist_is_404(invoke: Invoke, sample: Sample) -> None:
    assert invoke("DependenciesFunction", sample("get-dependencies"))["statusCode"] == 404
