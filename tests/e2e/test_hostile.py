"""Invalid requests over the wire are refused with a clear error, and nothing of them is stored."""

import gzip
import http.client
import json
import socket
from collections.abc import Iterator
from urllib.parse import urlsplit
from uuid import uuid4

import httpx
import pytest

from tests.e2e.reporting import GATEWAY, Json, create, encoded, event, faults, got, line, post, problem, started
from tests.e2e.running import Service

GOOD = encoded({"events": [event("heartbeat")]})
MIB = 1024 * 1024
HEARTBEAT = {"cpuUnits": 4, "memoryGB": 16, "maxConcurrentJobs": 7}


def raw(api: httpx.Client, method: str, path: str, body: bytes | None = None) -> tuple[int, dict[str, str], bytes]:
    """Return the response to a request with this exact path, which httpx would normalize."""
    at = urlsplit(str(api.base_url))
    connection = http.client.HTTPConnection(at.netloc, timeout=30)
    headers = {"Authorization": api.headers["authorization"], "Content-Type": "application/json"}
    connection.request(method, path.replace("~", at.path.rstrip("/")), body, headers)
    answer = connection.getresponse()
    found = answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
    connection.close()
    return found


def has_no_route(status: int, headers: dict[str, str], body: bytes) -> bool:
    """Whether this is the gateway's response to an unknown route."""
    told = json.loads(body)
    if "apigw-requestid" in headers and "code" not in told:
        return (status, told) == (404, {"message": GATEWAY["not_found"]})
    return (status, headers["content-type"], told["code"]) == (404, "application/problem+json", "not_found")


def last(api: httpx.Client, job: str) -> int:
    return int(got(api, f"/job/{job}")["lastSequence"])


@pytest.mark.parametrize(
    "path",
    [
        "~/jobs/", "~//jobs", "//~/jobs", "~/./jobs", "~/job/../jobs", "~/jobs/.", "~/JOBS", "~/jobs;x=1", "~/jobs%00",
        "~/jobs%2F", "~/job", "~/job/", "//", "/api", "/..", "/%2e%2e/etc/passwd", "/docs/../health",
        "/health/", "/healthz", "/openapi.json/", "/%ff", "/%7F",
    ],
)  # fmt: skip
def test_a_path_that_is_none_of_the_routes_is_404(api: httpx.Client, path: str) -> None:
    assert has_no_route(*raw(api, "GET", path))


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND"])
def test_a_method_that_the_path_does_not_take_is_404_as_api_gateway_has_it(api: httpx.Client, method: str) -> None:
    job = create(api)
    assert has_no_route(*raw(api, method, f"~/job/{job}/logs", GOOD))
    assert last(api, job) == 1


def test_head_is_answered_without_a_body(service: Service, api: httpx.Client) -> None:
    """The deployed API has no routes for HEAD yet."""
    assert raw(api, "HEAD", "~/jobs")[::2] == (404 if service.stack else 200, b"")


@pytest.mark.parametrize(
    ("node", "shown"),
    [
        ("worker-node-02", "worker-node-02"),
        ("%E5%88%86%E6%9E%90", "分析"),
        ("a%20b%09%0D%0A%00", "a b\t\r\n\0"),
        ("%25", "%"),
        ("a%2525", "a%25"),
        ("a;b=c&d", "a;b=c&d"),
        ("%23hash", "#hash"),
        ("...", "..."),
        ("%F0%9F%9A%84" * 200, "🚄" * 200),
    ],
)
def test_a_workers_name_is_any_text_that_fits_a_path(api: httpx.Client, node: str, shown: str) -> None:
    job = started(api)
    status, _, body = raw(api, "PUT", f"~/worker/{node}", encoded(HEARTBEAT))
    assert (status, body) == (204, b"")
    assert got(api, "/queue")["processingCapacity"]["activeWorkers"] == 1
    assert post(api, f"/job/{job}/events", encoded({"events": [line(shown)]})).status_code == 202


@pytest.mark.parametrize(("node", "status"), [("a%2Fb", 404), ("a/b", 404), ("", 404), ("%2F", 404), ("x" * 201, 422)])
def test_a_workers_name_that_api_gateway_would_not_pass_on_is_refused(
    api: httpx.Client, node: str, status: int
) -> None:
    answered, headers, body = raw(api, "PUT", f"~/worker/{node}", encoded(HEARTBEAT))
    if status == 404:
        assert has_no_route(answered, headers, body)
    else:
        assert (answered, headers["content-type"]) == (status, "application/problem+json")
        assert [each["pointer"] for each in json.loads(body)["errors"]] == ["/path/workerNode"]
    assert got(api, "/queue")["processingCapacity"]["activeWorkers"] == 0


@pytest.mark.parametrize("coding", ["gzip", "br"])
def test_a_compressed_body_is_415(api: httpx.Client, coding: str) -> None:
    job = create(api)
    headers = {"Content-Type": "application/json", "Content-Encoding": coding}
    answer = api.post(f"/job/{job}/events", content=gzip.compress(GOOD), headers=headers)
    assert "Content-Encoding" in problem(answer, 415, "unsupported_media_type")["detail"]
    assert last(api, job) == 1


def pieces(body: bytes, size: int) -> Iterator[bytes]:
    for at in range(0, len(body), size):
        yield body[at : at + size]


def chunked(api: httpx.Client, job: str, body: bytes, size: int) -> httpx.Response:
    headers = {"Content-Type": "application/json"}
    return api.post(f"/job/{job}/events", content=pieces(body, size), headers=headers)


def test_a_body_in_chunks_is_taken_up_to_the_limit_and_no_further(api: httpx.Client) -> None:
    job = create(api)
    assert chunked(api, job, GOOD, 3).status_code == 202
    assert chunked(api, job, GOOD.ljust(MIB), 64 * 1024).status_code == 202
    for size in (MIB + 1, 2 * MIB):
        assert str(MIB) in problem(chunked(api, job, GOOD.ljust(size), 64 * 1024), 413, "too_large")["detail"]
    assert last(api, job) == 3


@pytest.mark.parametrize("body", [b"\xef\xbb\xbf" + GOOD, GOOD.decode().encode("utf-16"), GOOD + b"\0"])
def test_what_no_json_parser_need_take_is_400(api: httpx.Client, body: bytes) -> None:
    job = create(api)
    problem(post(api, f"/job/{job}/events", body), 400, "invalid_request")
    assert last(api, job) == 1


INJECTED = "evil\r\nX-Evil: 1\r\n\r\nHTTP/1.1 200 OK"


@pytest.mark.parametrize("token", [INJECTED, "a b", "a\n", "\n", "ключ", "a\0", ""])
def test_a_receivers_token_that_does_not_fit_a_header_is_pointed_at(api: httpx.Client, token: str) -> None:
    hook = {
        "subscriptionType": "webhook",
        "webhookUrl": "https://hooks.example/",
        "authentication": {"type": "bearer", "token": token},
    }
    job = create(api)
    answer = api.post(f"/job/{job}/subscribe", json=hook)
    assert set(faults(answer)) == {"/authentication/token"}
    assert not token.strip() or token not in answer.text
    wanted: Json = {"jobId": str(uuid4()), "jobName": "n", "jobType": "t", "subscriptions": [hook]}
    assert set(faults(api.post("/jobs", json=wanted))) == {"/subscriptions/0/authentication/token"}
    assert got(api, f"/job/{job}/subscriptions")["subscriptions"] == []
    problem(api.get(f"/job/{wanted['jobId']}"), 404, "not_found")


def test_names_never_reach_a_header(api: httpx.Client) -> None:
    job = started(api, jobName=INJECTED, submittedBy=INJECTED, stages=[{"stageName": INJECTED}])
    given = {"resourcesAllocated": {"workerNode": INJECTED}}
    told = line(INJECTED, component=INJECTED, stage=INJECTED)
    body = encoded({"events": [told, told, event("stageStarted", stageName=INJECTED)]})
    answers = [post(api, f"/job/{job}/events", body, key="a key"), post(api, f"/job/{job}/events", body, key="a key")]
    answers.append(api.post("/jobs", json={"jobName": INJECTED, "jobType": INJECTED, "metadata": given}))
    answers += [api.get(f"/job/{job}{tail}") for tail in ("", "/progress", "/timeline", "/metrics", "/dependencies")]
    answers += [api.get(f"/job/{job}/logs", params={"format": form, "limit": 1}) for form in ("raw", "structured")]
    assert all(answer.is_success for answer in answers)
    assert not [answer.headers for answer in answers if "evil" in str(answer.headers.raw).lower()]


def test_a_carriage_return_in_a_header_is_400(api: httpx.Client) -> None:
    job, at = create(api), urlsplit(str(api.base_url))
    lines = [
        f"POST {at.path.rstrip('/')}/job/{job}/events HTTP/1.1",
        f"Host: {at.netloc}",
        f"Authorization: {api.headers['authorization']}",
        "Content-Type: application/json",
        f"Content-Length: {len(GOOD)}",
        "Idempotency-Key: a\rb",
    ]
    with socket.create_connection((at.hostname or "", at.port or 0), timeout=30) as connection:
        connection.sendall("\r\n".join([*lines, "", ""]).encode() + GOOD)
        assert connection.recv(64).startswith(b"HTTP/1.1 400 ")
    assert last(api, job) == 1
