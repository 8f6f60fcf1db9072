"""A tenant's project in a running service, and a request for each route of template.yaml."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx

from jobtrack_local.gateway.http_api import OPEN
from jobtrack_local.template import template
from jobtrack_local.template.cloudformation import RouteProperties
from tests.e2e.engine import Kept
from tests.e2e.receiving import deliveries, subscribed, until
from tests.e2e.reporting import create, event, line, reported, started
from tests.e2e.running import Service

ROUTES = {
    f"{route.method} {route.path.partition('/execution')[2]}": route
    for route in template.load().routes
    if route.auth.authorizer != OPEN
}
"""The routes that need a token, by method and the path within a project."""

KEY = {"Idempotency-Key": "the-same-for-all"}
SOCKET = {"subscriptionType": "websocket", "events": ["milestone"]}
BODIES: dict[str, object] = {
    "POST /jobs": {"jobName": "a job", "jobType": "Test"},
    "POST /job/{jobId}/events": {"events": [event("milestone")]},
    "POST /job/{jobId}/subscribe": {"subscriptionType": "webhook", "webhookUrl": "https://hook.example/"},
    "PUT /worker/{workerNode}": {"cpuUnits": 1, "memoryGB": 1, "maxConcurrentJobs": 1},
}
"""Bodies for the routes that need one."""


@dataclass(frozen=True)
class Project:
    """Ids of a project: those of the path parameters, and a WebSocket subscription."""

    ids: Mapping[str, str]
    socket: str

    def path(self, key: str) -> str:
        """Return the path of a route of `ROUTES` for these ids."""
        own = {"subscriptionId": self.socket} if key.endswith("/ticket") else {}
        return ROUTES[key].path.format(**{**self.ids, **own})

    def missing(self) -> "Project":
        """Return the same project with ids of nothing."""
        return self.having(jobId=str(uuid4()), subscriptionId=f"sub-{uuid4()}", messageId="msg_000000000001_0")

    def elsewhere(self) -> "Project":
        """Return an empty project of the tenant."""
        return self.missing().having(projectId=str(uuid4()))

    def shouted(self) -> "Project":
        """Return the ids in upper case."""
        return Project({name: text.upper() for name, text in self.ids.items()}, self.socket.upper())

    def having(self, **ids: str) -> "Project":
        """Replace some ids."""
        return Project({**self.ids, **ids}, ids.get("subscriptionId", self.socket))


def populated(service: Service, url: str, tenant: str | None = None) -> Project:
    """Create a project with jobs in every state, a subscription with deliveries, and a response for each POST."""
    tenant, project = tenant or str(uuid4()), str(uuid4())
    with service.client(tenant, project) as api:
        job = create(api)
        name = subscribed(api, job, url, "milestone")["subscriptionId"]
        reported(api, job, event("jobStarted"), event("milestone"), *(line(f"line {number}") for number in range(3)))
        until(lambda: [each["status"] for each in deliveries(api, name)] == ["Delivered"])
        socket = api.post(f"/job/{job}/subscribe", json=SOCKET)
        assert socket.status_code == 201, socket.text
        ids = {
            "tenantId": tenant,
            "projectId": project,
            "jobId": job,
            "subscriptionId": name,
            "messageId": deliveries(api, name)[0]["messageId"],
            "workerNode": "worker-1",
        }
        made = Project(ids, socket.json()["subscriptionId"])
        for key in (key for key, route in ROUTES.items() if route.method in ("POST", "PUT")):
            answer = ask(api, key, made)
            assert answer.is_success, answer.text
            assert "idempotency-replayed" not in answer.headers  # although another tenant used the key before
        create(api)
        reported(api, started(api), event("jobCompleted"))
        until(lambda: _settled(deliveries(api, name)))
    return made


def _settled(listed: list[dict[str, Any]]) -> bool:
    """Wait until two milestones and a ping are delivered, one of them twice."""
    attempts = sorted(len(each["attempts"]) for each in listed)
    return attempts == [1, 1, 2] and all(each["status"] == "Delivered" for each in listed)


def ask(api: httpx.Client, key: str, project: Project, headers: Mapping[str, str] = KEY) -> httpx.Response:
    """Return the response of a route for a project."""
    route: RouteProperties = ROUTES[key]
    url = str(api.base_url.join("/")) + project.path(key).removeprefix("/")
    return api.request(route.method, url, json=BODIES.get(key), headers=dict(headers))


OWN = ("date", "content-length", "apigw-requestid")
"""Headers that differ between responses."""


def told(answer: httpx.Response, *ids: str) -> tuple[int, list[tuple[str, str]], str]:
    """Return a response without its time, its request id, its path and these ids."""
    text = re.sub(r'"(requestId|instance)":"[^"]*"', r'"\1":""', answer.text)
    for each in ids:
        text = text.replace(each.lower(), "…").replace(each.upper(), "…")
    headers = [(name, value) for name, value in answer.headers.items() if name not in OWN]
    return answer.status_code, headers, text


def stored(service: Service, *needles: str) -> dict[str, Any]:
    """Return the items whose keys contain one of these."""
    found = {
        f"{table} {item['pk']['S']} {item['sk']['S']}": item
        for table, items in Kept(service).tables().items()
        for item in items
    }
    return {place: item for place, item in found.items() if any(needle in place for needle in needles)}
