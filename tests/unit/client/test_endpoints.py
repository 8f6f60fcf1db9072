"""Both clients send the same requests for every endpoint."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

import jobtrack_client as jt
from tests.stack import triggers
from tests.unit.client.service import GUID

SUB = f"sub-{GUID}"
OTHER = GUID.replace("c", "d")
CAPACITY = {"cpu_units": 8, "memory_gb": 32, "max_concurrent_jobs": 7}
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)

CALLS: list[tuple[Callable[[Any], Any], str]] = [
    (lambda api: api.create_job("n", job_type="t", priority=None), "POST /jobs"),
    (lambda api: api.report_events(GUID, [{"type": "heartbeat"}]), f"POST /job/{GUID}/events"),
    (lambda api: api.put_worker("node 1/a", **CAPACITY), "PUT /worker/node%201%2Fa"),
    (lambda api: api.get_job(GUID), f"GET /job/{GUID}"),
    (lambda api: api.jobs(), "GET /jobs"),
    (
        lambda api: api.jobs(status=["Running", "Queued"], job_type="t", submitted_by="u", from_time=NOON, limit=5),
        "GET /jobs?status=Running%2CQueued&jobType=t&submittedBy=u&limit=5&from=2026-11-23T12%3A00%3A00%2B00%3A00",
    ),
    (lambda api: api.queue(cursor="c"), "GET /queue?cursor=c"),
    (
        lambda api: api.batch([GUID, OTHER.upper()], include_metrics=True, refresh_interval=5),
        f"GET /tracking/batch?jobIds={GUID}%2C{OTHER}&includeMetrics=true&refreshInterval=5",
    ),
    (lambda api: api.batch(status="Failed"), "GET /tracking/batch?status=Failed"),
    (lambda api: api.progress(GUID), f"GET /job/{GUID}/progress"),
    (lambda api: api.logs(GUID, level="WARN", limit=3), f"GET /job/{GUID}/logs?level=WARN&limit=3"),
    (
        lambda api: api.timeline(GUID, granularity="seconds", include_sub_events=False),
        f"GET /job/{GUID}/timeline?granularity=seconds&includeSubEvents=false",
    ),
    (
        lambda api: api.metrics(GUID, interval="1m", metrics=["cpu", "disk"], include_history=True),
        f"GET /job/{GUID}/metrics?metrics=cpu%2Cdisk&interval=1m&includeHistory=true",
    ),
    (lambda api: api.dependencies(GUID, depth=3), f"GET /job/{GUID}/dependencies?depth=3"),
    (lambda api: api.subscribe(GUID, subscription_type="websocket"), f"POST /job/{GUID}/subscribe"),
    (lambda api: api.subscriptions(GUID, limit=2), f"GET /job/{GUID}/subscriptions?limit=2"),
    (lambda api: api.get_subscription(SUB), f"GET /subscription/{SUB}"),
    (lambda api: api.delete_subscription(SUB), f"DELETE /subscription/{SUB}"),
    (lambda api: api.renew_subscription(SUB, expires_in_seconds=60), f"POST /subscription/{SUB}/renew"),
    (lambda api: api.rotate_secret(SUB), f"POST /subscription/{SUB}/rotate-secret"),
    (lambda api: api.issue_ticket(SUB), f"POST /subscription/{SUB}/ticket"),
    (lambda api: api.test_subscription(SUB), f"POST /subscription/{SUB}/test"),
    (lambda api: api.deliveries(SUB, limit=9), f"GET /subscription/{SUB}/deliveries?limit=9"),
    (lambda api: api.retry_delivery(SUB, "msg_1"), f"POST /subscription/{SUB}/deliveries/msg_1/retry"),
]


class Service:
    """Returns empty responses, after a number of failures."""

    def __init__(self, failures: int = 0) -> None:
        self.requests: list[httpx.Request] = []
        self._failures = failures

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        if len(self.requests) <= self._failures:
            return httpx.Response(503)
        nothing = request.method in ("PUT", "DELETE")
        return httpx.Response(204) if nothing else httpx.Response(200, json={"path": request.url.path})

    @property
    def asked(self) -> list[tuple[str, bytes, str | None]]:
        """Return line, body and key of each request."""
        return [(self._line(each), each.content, each.headers.get("Idempotency-Key")) for each in self.requests]

    @staticmethod
    def _line(request: httpx.Request) -> str:
        path = request.url.raw_path.decode().removeprefix(f"/api/{GUID}/{GUID}/execution")
        return f"{request.method} {path}"


def keys() -> Callable[[], str]:
    numbers = iter(range(10**6))
    return lambda: f"cc0e8400-e29b-41d4-a716-{next(numbers):012d}"


def asked_by_client(call: Callable[[jt.Client], Any], service: Service) -> Any:
    given: dict[str, Any] = {"transport": httpx.MockTransport(service), "key": keys(), "language": "en"}
    with jt.Client("http://x", "t", GUID, GUID, sleep=lambda seconds: None, **given) as api:
        return call(api)


def asked_by_async_client(call: Callable[[jt.AsyncClient], Awaitable[Any]], service: Service) -> Any:
    async def soon(seconds: float) -> None:
        await asyncio.sleep(0)

    async def token() -> str:
        return "t"

    async def ask() -> Any:
        given: dict[str, Any] = {"transport": httpx.MockTransport(service), "key": keys(), "language": "en"}
        async with jt.AsyncClient("http://x", token, GUID, GUID, sleep=soon, **given) as api:
            return await call(api)

    return asyncio.run(ask())


@pytest.mark.parametrize(("call", "line"), CALLS, ids=[line for _, line in CALLS])
def test_each_endpoint_is_asked_for_alike_again_and_again_until_it_answers(
    call: Callable[[Any], Any], line: str
) -> None:
    blocking, awaiting = Service(failures=2), Service(failures=2)
    assert asked_by_client(call, blocking) == asked_by_async_client(call, awaiting)
    assert blocking.asked == awaiting.asked
    first, *others = blocking.asked
    assert first[0] == line
    assert others == [first, first]  # the same body under the same key
    assert (first[2] is not None) == line.startswith("POST")
    assert all(each.headers["Accept-Language"] == "en" for each in (*blocking.requests, *awaiting.requests))


def test_every_route_of_a_project_has_its_method() -> None:
    routes = {f"{route['Method']} {route['Path']}" for _, route in triggers("HttpApi") if "execution" in route["Path"]}
    assert len({line.partition("?")[0] for _, line in CALLS}) == len(routes)


@pytest.mark.parametrize("token", ["", "a b", "a\n\nb"])
def test_an_awaited_token_that_no_header_can_hold_is_refused(token: str) -> None:
    async def ask() -> None:
        async def given() -> str:
            return token

        async with jt.AsyncClient("http://x", given, GUID, GUID, transport=httpx.MockTransport(Service())) as api:
            await api.get_job(GUID)

    with pytest.raises(jt.ConfigurationError):
        asyncio.run(ask())
