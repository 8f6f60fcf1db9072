"""A project as its clients see it: jobs, workers and lists with a test clock; and an index that lags."""

import json
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from botocore.model import OperationModel

from functions.api.batch.app import dynamodb as batch_client
from functions.api.jobs.app import dynamodb as jobs_client
from functions.api.queue.app import dynamodb as queue_client
from jobtrack import times
from tests import example
from tests.functions.conftest import Invoke
from tests.functions.replaying import BASE, Caller, caller

Json = dict[str, Any]

STARTED = {"type": "jobStarted", "data": {"resourcesAllocated": {"cpuUnits": 2}}}
UNKNOWN = str(uuid.uuid4())
CLIENTS = {"BatchFunction": batch_client, "JobsFunction": jobs_client, "QueueFunction": queue_client}


@dataclass
class Project:
    """Calls the handlers for the project of the samples."""

    caller: Caller
    made: int = field(default=0)

    def at(self, clock: str) -> None:
        """Set the clock."""
        self.caller.now = times.parse(example.at(clock))

    def ask(self, function: str, method: str, route: str, body: Any = None, **query: Any) -> Any:
        """Return the raw response; the route is as after percent-decoding."""
        event = self.caller.sample("get-queue")
        path = f"{BASE}/{route}"
        event |= {"rawPath": path, "rawQueryString": urlencode(query, quote_via=quote)}
        event["requestContext"]["http"] |= {"method": method, "path": path}
        if body is not None:
            event["body"] = json.dumps(body)
            event["headers"]["content-type"] = "application/json"
        return self.caller.invoke(function, event)

    def get(self, function: str, route: str, **query: Any) -> Json:
        """Return the body of a successful response."""
        answer = self.ask(function, "GET", route, **query)
        assert answer["statusCode"] == 200, answer["body"]
        body: Json = json.loads(answer["body"])
        return body

    def batch(self, *ids: str, **query: Any) -> Json:
        return self.get("BatchFunction", "tracking/batch", **({"jobIds": ",".join(ids)} if ids else {}), **query)

    def queue(self, **query: Any) -> Json:
        return self.get("QueueFunction", "queue", **query)

    def jobs(self, **query: Any) -> Json:
        return self.get("JobsFunction", "jobs", **query)

    def worker(self, node: str, cores: float = 4, slots: int = 2) -> None:
        body = {"cpuUnits": cores, "memoryGB": 16, "maxConcurrentJobs": slots}
        assert self.ask("WorkersFunction", "PUT", f"worker/{node}", body)["statusCode"] == 204

    def job(self, seconds: float | None = None, **wanted: Any) -> str:
        """Create a job one second after the previous one, and return its id."""
        self.made += 1
        self.caller.now += times.SECOND
        stages = [] if seconds is None else [{"stageName": "Work", "expectedSeconds": seconds}]
        asked = {"jobName": f"Job {self.made}", "jobType": "Test", "jobId": str(uuid.UUID(int=self.made)), **wanted}
        return str(self.caller.post("jobs", {"stages": stages, **asked}, asked["jobId"])["jobId"])

    def report(self, job: str, *events: str | Json) -> None:
        told = [each if isinstance(each, dict) else {"type": each, "data": {}} for each in events]
        self.caller.post("job/{jobId}/events", {"events": told}, job)


def project(invoke: Invoke, sample: Callable[[str], Json], monkeypatch: pytest.MonkeyPatch) -> Project:
    """Return a project whose clock the functions use; it is 10:30:00."""
    found = Project(caller(invoke, sample, monkeypatch))
    found.at("10:30:00")
    return found


def ids(jobs: list[Json]) -> list[str]:
    return [each["jobId"] for each in jobs]


def pointers(answer: Json) -> list[str]:
    """Return the errors of an invalid request."""
    assert answer["statusCode"] == 422, answer["body"]
    return [each["pointer"] for each in json.loads(answer["body"])["errors"]]


def shown(tenant: Project, job: str) -> Json:
    return tenant.get("JobsFunction", f"job/{job}")


@contextmanager
def calls(function: str) -> Iterator[list[tuple[str, Json]]]:
    """Record the function's calls of DynamoDB during the block: operations and parameters."""
    made: list[tuple[str, Json]] = []

    def note(params: Json, model: OperationModel, **_: object) -> None:
        made.append((model.name, params))

    events = CLIENTS[function].meta.events
    events.register("provide-client-params.dynamodb", note)
    yield made
    events.unregister("provide-client-params.dynamodb", note)


@contextmanager
def lagging() -> Iterator[None]:
    """Freeze the results of queries of the index: it lags behind everything that follows."""
    frozen = _index()

    def answer(params: Json, **_: object) -> Any:
        asked = json.loads(params["body"])
        if "IndexName" not in asked:
            return None
        return _Raw(), {"Items": list(_page(frozen, asked)), "Count": 0}

    for client in CLIENTS.values():
        client.meta.events.register("before-call.dynamodb.Query", answer)
    try:
        yield
    finally:
        for client in CLIENTS.values():
            client.meta.events.unregister("before-call.dynamodb.Query", answer)


class _Raw:
    status_code = 200


def _index() -> list[tuple[str, str]]:
    items = jobs_client.scan(TableName="JobsTable")["Items"]
    return [(item["gpk"]["S"], item["gsk"]["S"]) for item in items if "gpk" in item]


def _page(index: list[tuple[str, str]], asked: Json) -> Iterator[Json]:
    values = {name: value["S"] for name, value in asked["ExpressionAttributeValues"].items()}
    low, high = values.get(":low", ""), values.get(":high", "~")
    found = sorted(place for partition, place in index if partition == values[":partition"] and low <= place <= high)
    if not asked.get("ScanIndexForward", True):
        found.reverse()
    for place in found[: asked.get("Limit")]:
        yield {"gsk": {"S": place}}
