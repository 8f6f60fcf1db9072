"""The example job, reported through the functions' handlers at its own times."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from jobtrack import times
from jobtrack_local.runtime.function import load_module
from jobtrack_local.template.cloudformation import Route
from tests import example
from tests.functions.conftest import TEMPLATE, Invoke

BASE = f"/api/{example.TENANT_ID}/{example.PROJECT_ID}/execution"
PATTERN = "/api/{tenantId}/{projectId}/execution"


@dataclass
class Caller:
    """Calls the handlers as API Gateway would, with a clock of its own."""

    invoke: Invoke
    sample: Callable[[str], dict[str, Any]]
    now: int = field(default=times.parse("2024-01-20T10:28:00Z"))

    def get(self, route: str, language: str = "ja", **query: str) -> tuple[int, Any]:
        """Return status and body: `get("job/{jobId}/timeline")`."""
        asked = self.sample("get-progress")
        asked["headers"] = {"accept-language": language}
        return self._ask(asked, "GET", route, {"queryStringParameters": query} if query else {})

    def post(self, route: str, body: Any, job: str = example.JOB_ID) -> Any:
        """Return the body of a successful response."""
        asked = self.sample("report-events")
        asked["headers"].pop("idempotency-key", None)
        status, answer = self._ask(asked, "POST", route, {"body": json.dumps(body)}, job)
        assert status in (201, 202), answer
        return answer

    def put(self, route: str, worker: str, body: Any) -> None:
        """Send a worker's heartbeat."""
        asked = self.sample("report-events")
        asked["pathParameters"]["workerNode"] = worker
        status, answer = self._ask(asked, "PUT", route, {"body": json.dumps(body)})
        assert status == 204, answer

    def _ask(
        self, asked: dict[str, Any], method: str, route: str, more: dict[str, Any], job: str = example.JOB_ID
    ) -> tuple[int, Any]:
        path = f"{BASE}/{route}".format_map({**asked["pathParameters"], "jobId": job})
        query = "&".join(f"{name}={value}" for name, value in more.get("queryStringParameters", {}).items())
        asked |= {"rawPath": path, "rawQueryString": query, **more}
        asked["pathParameters"]["jobId"] = job
        asked["requestContext"]["http"] |= {"method": method, "path": path}
        answer = self.invoke(_function(method, f"{PATTERN}/{route}"), asked)
        return answer["statusCode"], json.loads(answer["body"] or "null")

    def replay(self, operation: str = example.OPERATIONS["timeline"], **creation: Any) -> None:
        """Report the example job until 10:45:33."""
        self.now = times.parse(example.at("10:28:00"))
        self.post("jobs", example.creation(**creation))
        for moment, events in example.batches(operation):
            self.now = times.parse(moment)
            self.post("job/{jobId}/events", {"events": events})

    def past(self) -> None:
        """Report the completed jobs of the same type."""
        for wanted, events in example.past_jobs():
            job = self.post("jobs", wanted)["jobId"]
            self.post("job/{jobId}/events", {"events": events}, job)


def caller(invoke: Invoke, sample: Callable[[str], dict[str, Any]], monkeypatch: pytest.MonkeyPatch) -> Caller:
    """Return a caller whose clock the functions use."""
    found = Caller(invoke, sample)
    # The modules come first: a class that is defined while the clock is replaced keeps the replacement as its default.
    modules = [load_module(function) for function in TEMPLATE.functions.values()]
    monkeypatch.setattr(times, "now", lambda: found.now)
    for module in modules:
        if hasattr(getattr(module, "jobs", None), "now"):
            monkeypatch.setattr(module.jobs, "now", lambda: found.now)
    return found


def _function(method: str, route: str) -> str:
    for name, function in TEMPLATE.functions.items():
        for trigger in function.events.values():
            if isinstance(trigger, Route) and (trigger.properties.method, trigger.properties.path) == (method, route):
                return name
    raise LookupError(route)
