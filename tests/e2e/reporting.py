"""Helpers for requests and expectations of the contract's tests."""

import json
from pathlib import Path
from typing import Any

import httpx

Json = dict[str, Any]

SAMPLES: dict[str, Json] = {
    "stageStarted": {"stageName": "A"},
    "stageCompleted": {"stageName": "A"},
    "stageFailed": {"stageName": "A", "error": {"message": "broken"}},
    "stageSkipped": {"stageName": "A"},
    "progressUpdate": {"progress": 10},
    "log": {"level": "INFO", "message": "a line"},
    "metricSample": {"cpuUsage": 67},
    "quality": {"dataQualityScore": 94.8},
    "milestone": {"description": "a milestone"},
    "warning": {"description": "a warning"},
    "error": {"description": "an error"},
    "resourceAllocated": {"resourceType": "ComputeNode", "resourceId": "worker-node-02"},
    "resourceReleased": {"resourceType": "ComputeNode", "resourceId": "worker-node-02"},
    "blocked": {"condition": "no memory"},
    "unblocked": {"condition": "no memory", "resolution": "got some"},
    "jobFailed": {"error": {"message": "boom"}},
}
"""Data for each type of event that needs some."""


def example(name: str) -> Json:
    """Return a response of the specification."""
    found: Json = json.loads((Path(__file__).parents[2] / "docs" / "examples" / f"{name}.response.json").read_text())
    return found


def event(kind: str, time: str | None = None, /, **data: Any) -> Json:
    """Return an event, with the data of `SAMPLES` by default."""
    made: Json = {"type": kind, "data": data or SAMPLES.get(kind, {})}
    return made if time is None else {**made, "time": time}


def stage(kind: str, clock: str, name: str, **more: Any) -> Json:
    """Return an event of a stage, on the day of the examples."""
    return event(kind, f"2024-01-20T{clock}Z", stageName=name, **more)


def line(message: str, time: str | None = None, /, level: str = "INFO", **more: Any) -> Json:
    """Return a log line."""
    return event("log", time, level=level, message=message, **more)


def create(api: httpx.Client, **wanted: Any) -> str:
    """Create a job, and return its id."""
    answer = api.post("/jobs", json={"jobName": "Customer Journey Analysis", "jobType": "ProcessMining", **wanted})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["jobId"])


def started(api: httpx.Client, **wanted: Any) -> str:
    """Create and start a job, and return its id."""
    job = create(api, **wanted)
    reported(api, job, event("jobStarted"))
    return job


def encoded(value: object) -> bytes:
    """Return the value as compact JSON."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def post(api: httpx.Client, path: str, body: bytes, key: str | None = None, kind: str = "application/json") -> Any:
    """Send a POST of exactly these bytes."""
    headers = {"Content-Type": kind} | ({"Idempotency-Key": key} if key else {})
    return api.post(path, content=body, headers=headers)


def report(api: httpx.Client, job: str, *events: Json, key: str | None = None) -> httpx.Response:
    """Report a batch, and return the response."""
    answer: httpx.Response = post(api, f"/job/{job}/events", encoded({"events": events}), key)
    return answer


def reported(api: httpx.Client, job: str, *events: Json) -> int:
    """Report a batch that must be accepted, and return its last sequence."""
    answer = report(api, job, *events)
    assert answer.status_code == 202, answer.text
    assert answer.json()["accepted"] == len(events)
    return int(answer.json()["lastSequence"])


def got(api: httpx.Client, path: str, **query: Any) -> Json:
    """Return the body of a GET that must succeed."""
    answer = api.get(path, params=query)
    assert answer.status_code == 200, answer.text
    body: Json = answer.json()
    return body


def messages(api: httpx.Client, job: str, **query: Any) -> list[str]:
    """Return the messages of a page of logs."""
    return [entry["message"] for entry in got(api, f"/job/{job}/logs", **query)["logs"]]


GATEWAY = {
    "unauthorized": "Unauthorized",
    "forbidden": "Forbidden",
    "not_found": "Not Found",
    "too_large": "Request Entity Too Large",
}
"""Messages of API Gateway for requests that reach no function, if the service is deployed behind one."""


def by_gateway(answer: httpx.Response, code: str) -> bool:
    """Whether API Gateway refused for this reason."""
    return "apigw-requestid" in answer.headers and answer.json() == {"message": GATEWAY.get(code)}


def problem(answer: httpx.Response, status: int, code: str) -> Json:
    """Return the body of a refusal, checked against the shape of all refusals."""
    assert answer.status_code == status, answer.text
    body: Json = answer.json()
    if by_gateway(answer, code):
        return body
    assert answer.headers["content-type"] == "application/problem+json"
    assert set(body) - {"errors"} == {"type", "title", "status", "detail", "instance", "code", "requestId"}
    assert (body["status"], body["code"], body["instance"]) == (status, code, answer.request.url.path)
    assert body["type"].endswith(f":{code}")
    assert body["title"]
    assert body["detail"]
    assert body["requestId"]
    return body


def faults(answer: httpx.Response) -> dict[str, str]:
    """Return the errors of an invalid request by pointer; each value is named once."""
    body = problem(answer, 422, "unprocessable")
    told = {each["pointer"]: each["detail"] for each in body["errors"]}
    assert len(told) == len(body["errors"])
    assert all(set(each) == {"pointer", "detail"} and each["detail"] for each in body["errors"])
    return told


def lacking(value: object, shape: object, at: str = "") -> list[str]:
    """Yield where a value lacks a member of the shape, or has one of another JSON type that is not null."""
    if value is None:
        return []
    if _kind(value) is not _kind(shape):
        return [at]
    if isinstance(value, dict) and isinstance(shape, dict):
        missing = [f"{at}/{name}" for name in shape if name not in value]
        common = [name for name in shape if name in value]
        return missing + [each for name in common for each in lacking(value[name], shape[name], f"{at}/{name}")]
    if isinstance(value, list) and isinstance(shape, list):
        pairs = enumerate(zip(value, shape, strict=False))
        return [each for place, (one, like) in pairs for each in lacking(one, like, f"{at}/{place}")]
    return []


def _kind(value: object) -> type:
    return float if type(value) is int else type(value)
