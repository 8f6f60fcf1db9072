"""Every response follows the API's description, and has each field of the specification's examples."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx
import pytest
from openapi_schema_validator import OAS31Validator

from tests import example
from tests.e2e.reporting import create, event, reported, started
from tests.e2e.running import Service
from tests.stack import ROOT

Json = dict[str, Any]

DOCUMENT: Json = json.loads((ROOT / "functions" / "api" / "docs" / "openapi.json").read_text())
BASE = "/api/{tenantId}/{projectId}/execution"
READS = [
    path.removeprefix(BASE)
    for path, methods in DOCUMENT["paths"].items()
    if path.startswith(BASE) and "get" in methods and not path.endswith("/tracking/batch")
]
EXAMPLES = {
    f"/job/{{jobId}}/{name}": example.body(name) for name in ("logs", "progress", "timeline", "metrics", "dependencies")
} | {"/tracking/batch": example.body("batch")}
EXAMPLE_REQUEST = json.loads((ROOT / "docs" / "examples" / "subscribe.request.json").read_text())
FREE = {"details", "metrics"}
"""Members whose contents come from the worker."""
QUERIES = {
    "/job/{jobId}/metrics": "?includeHistory=true",
    "/job/{jobId}/timeline": "?includeSubEvents=true&granularity=seconds",
    "/job/{jobId}/dependencies": "?depth=3",
}


@dataclass(frozen=True)
class Project:
    """Create a project with jobs of every kind."""

    api: httpx.Client
    jobs: Mapping[str, str]
    subscription: str

    def get(self, path: str, kind: str = "example", query: str = "") -> httpx.Response:
        """Return the response about a job."""
        filled = path.format(jobId=self.jobs[kind], subscriptionId=self.subscription)
        return self.api.get(filled + (query or QUERIES.get(path, "")))


@pytest.fixture(scope="module")
def project(service: Service) -> Iterator[Project]:
    """Create a project with the example's job and a live worker."""
    with service.client(example.TENANT_ID, str(uuid4())) as api:
        jobs = dict(populate(api))
        yield Project(api, jobs, subscribed(api, jobs["bare"]))


def populate(api: httpx.Client) -> Iterator[tuple[str, str]]:
    """Create jobs of each kind, and return their ids."""
    capacity = {"cpuUnits": 8, "memoryGB": 32, "maxConcurrentJobs": 4}
    assert api.put("/worker/worker-node-02", json=capacity).status_code == 204
    yield "completed", (before := started(api, jobName="Data Preparation", metadata={"a": 1}))
    reported(api, before, event("jobCompleted"))
    wanted = example.creation(prerequisites=[{"jobId": before, "dependency": "Dataset must be validated"}])
    assert api.post("/jobs", json=wanted).status_code == 201
    for _, events in example.batches():
        reported(api, example.JOB_ID, *events)
    yield "example", example.JOB_ID
    yield "queued", create(api, jobName="Weekly Report Generation", prerequisites=[{"jobId": example.JOB_ID}])
    yield "failed", (failed := started(api, stages=[{"stageName": "A"}, {"stageName": "B"}]))
    reported(api, failed, *map(event, ("stageStarted", "stageFailed", "jobFailed")))
    yield "bare", started(api)


def subscribed(api: httpx.Client, job_id: str) -> str:
    """Create a subscription with a message for a receiver that does not exist."""
    wanted = {"subscriptionType": "webhook", "webhookUrl": "http://127.0.0.1:9/", "events": ["milestone"]}
    answer = api.post(f"/job/{job_id}/subscribe", json=wanted)
    assert answer.status_code == 201, answer.text
    reported(api, job_id, event("milestone"))
    return str(answer.json()["subscriptionId"])


@pytest.mark.parametrize("path", [path for path in READS if "{jobId}" in path])
@pytest.mark.parametrize("kind", ["example", "completed", "queued", "failed", "bare"])
def test_reads_of_a_job_are_as_described(project: Project, path: str, kind: str) -> None:
    require_described(project.get(path, kind), "get", path)


@pytest.mark.parametrize("path", [path for path in READS if "{jobId}" not in path])
def test_reads_of_a_project_are_as_described(project: Project, path: str) -> None:
    require_described(project.get(path), "get", path)


@pytest.mark.parametrize("query", ["", "includeMetrics=true&refreshInterval=5", f"jobIds={uuid4()}", "status=Queued"])
def test_batches_are_as_described(project: Project, query: str) -> None:
    require_described(project.api.get(f"/tracking/batch?{query}"), "get", "/tracking/batch")


def test_writes_are_as_described(project: Project) -> None:
    api = project.api
    key = {"Idempotency-Key": "shapes"}
    for _ in range(2):
        body = {"jobName": "n", "jobType": "t", "subscriptions": [EXAMPLE_REQUEST]}
        made = require_described(api.post("/jobs", json=body, headers=key), "post", "/jobs")
        path = f"/job/{made['jobId']}"
        events = {"events": [event("jobStarted")]}
        require_described(api.post(f"{path}/events", json=events, headers=key), "post", "/job/{jobId}/events")
        answer = api.post(f"{path}/subscribe", json=EXAMPLE_REQUEST, headers=key)
        require_described(answer, "post", "/job/{jobId}/subscribe")
    assert answer.headers["idempotency-replayed"] == "true"


@pytest.mark.parametrize("path", sorted(EXAMPLES))
def test_every_field_of_the_specifications_example_is_there_with_its_type(project: Project, path: str) -> None:
    answer = project.get(path, query="?includeMetrics=true" if path == "/tracking/batch" else "")
    assert answer.is_success, answer.text
    assert list(lacking(EXAMPLES[path], answer.json())) == []


def test_every_field_of_the_answer_to_subscribe_is_there_with_its_type(project: Project) -> None:
    answer = project.api.post(f"/job/{example.JOB_ID}/subscribe", json=EXAMPLE_REQUEST)
    assert answer.is_success, answer.text
    assert list(lacking(example.body("subscribe"), answer.json())) == []


def require_described(answer: httpx.Response, method: str, path: str) -> Any:
    """Return the body, after checking that body and headers are as described, and nothing else."""
    assert answer.is_success, answer.text
    described = DOCUMENT["paths"][BASE + path][method]["responses"][str(answer.status_code)]
    schema = described["content"]["application/json"]["schema"]
    body = answer.json()
    OAS31Validator({**schema, "components": CLOSED}).validate(body)
    always = set(described.get("headers", {})) - {"Idempotency-Replayed", "Next-Cursor", "Last-Sequence"}
    assert {name for name in always if name.lower() not in answer.headers} == set()
    assert ("ETag" in always) == ("etag" in answer.headers)
    return body


def closed(schema: Any) -> Any:
    """Return the schemas, with all other members forbidden."""
    if isinstance(schema, list):
        return [closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    found = {name: closed(each) for name, each in schema.items()}
    return {**found, "additionalProperties": False} if isinstance(schema.get("properties"), dict) else found


CLOSED = closed(DOCUMENT["components"])


def lacking(wanted: Any, found: Any, pointer: str = "") -> Iterator[str]:
    """Yield the fields of an example that are missing or of another JSON type; list elements share their members."""
    if found is None or wanted is None:
        return
    if kind(wanted) != kind(found):
        yield f"{pointer} is {found!r}, not like {wanted!r}"
    elif isinstance(wanted, dict):
        yield from (f"{pointer}/{name} is missing" for name in wanted.keys() - found.keys())
        for name in (wanted.keys() & found.keys()) - FREE:
            yield from lacking(wanted[name], found[name], f"{pointer}/{name}")
    elif isinstance(wanted, list):
        assert found, f"{pointer} is empty, so that nothing is shown"
        for index, value in enumerate(found):
            yield from lacking(union(wanted), value, f"{pointer}/{index}")


def union(elements: list[Any]) -> Any:
    """Return the members of all elements together."""
    if not all(isinstance(each, dict) for each in elements):
        return elements[0]
    return {name: value for each in elements for name, value in each.items()}


def kind(value: object) -> str:
    """Return the JSON type."""
    if isinstance(value, bool):
        return "boolean"
    return "number" if isinstance(value, int | float) else type(value).__name__
