"""A client that sends arbitrary requests, and checks whether any of it was stored."""

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

from tests.functions.conftest import DYNAMODB, TEMPLATE, Invoke

Json = dict[str, Any]

FUNCTIONS = {"create-job": "JobsFunction", "report-events": "EventsFunction", "put-worker": "WorkersFunction"}
READS: dict[str, tuple[str, dict[str, str]]] = {
    "JobsFunction": ("get-job", {}),
    "ProgressFunction": ("get-progress", {}),
    "LogsFunction": ("get-logs", {"level": "DEBUG", "limit": "10000"}),
    "TimelineFunction": ("get-timeline", {"granularity": "seconds", "includeSubEvents": "true"}),
    "MetricsFunction": ("get-metrics", {"includeHistory": "true"}),
    "DependenciesFunction": ("get-dependencies", {}),
}
"""All reads of a job: the sample of each function, and the query that shows everything."""


@dataclass(frozen=True)
class Client:
    """Calls the handlers with requests as API Gateway forwards them, for a job of its own."""

    invoke: Invoke
    sample: Callable[[str], Json]
    job: str = field(default_factory=lambda: str(uuid4()))

    def start(self, *events: Json, **wanted: Any) -> None:
        """Create the job, and report to it."""
        status, answer = self.create({"jobName": "n", "jobType": "t", **wanted})
        assert status == 201, answer
        if events:
            assert self.report({"events": events})[0] == 202

    def create(self, body: Json) -> tuple[int, Json]:
        """Send `POST /jobs`."""
        return self.send("create-job", json.dumps({"jobId": self.job, **body}).encode())

    def report(self, body: Any) -> tuple[int, Json]:
        """Send `POST …/events` with a value that json can encode."""
        return self.send("report-events", json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode())

    def send(self, name: str, body: bytes, **headers: str | None) -> tuple[int, Json]:
        """Send a sample's request with this body; None removes a header, by default the Idempotency-Key."""
        event = self.sample(name)
        given = {"idempotency_key": None, **headers}
        event["headers"] |= {header.replace("_", "-"): value for header, value in given.items()}
        event["headers"] = {header: value for header, value in event["headers"].items() if value is not None}
        event |= {"body": base64.b64encode(body).decode(), "isBase64Encoded": True}
        return self.ask(FUNCTIONS[name], event)

    def ask(self, function: str, event: Json) -> tuple[int, Json]:
        """Return status and body, after checking that a refusal is a problem+json."""
        if sampled := event["pathParameters"].get("jobId"):
            path = event["rawPath"].replace(sampled, self.job)
            event["rawPath"] = event["requestContext"]["http"]["path"] = path
        answer = self.invoke(function, event)
        body = json.loads(answer["body"] or "{}")
        if answer["statusCode"] >= 400:
            assert answer["headers"]["content-type"] == "application/problem+json"
            assert {"type", "title", "status", "detail", "instance", "code", "requestId"} <= body.keys()
            assert body["status"] == answer["statusCode"] < 500, body
        return answer["statusCode"], body

    def read(self, function: str, **query: str) -> Json:
        """Return the body of one of `READS`, which must succeed."""
        name, usual = READS[function]
        event = {**self.sample(name), "rawQueryString": urlencode({**usual, **query})}
        event["headers"].pop("if-none-match", None)
        status, body = self.ask(function, event)
        assert status == 200, body
        return body


def stored() -> dict[str, list[str]]:
    """Return every item of every table."""
    dynamodb = DYNAMODB
    return {
        table: sorted(repr(sorted(item.items())) for item in dynamodb.scan(TableName=table)["Items"])
        for table in TEMPLATE.tables
    }


def refusal(answer: tuple[int, Json], status: int = 422) -> dict[str, str]:
    """Return the errors by pointer."""
    assert answer[0] == status, answer
    return {each["pointer"]: each["detail"] for each in answer[1].get("errors", [])}


def leads(pointer: str, body: Any) -> bool:
    """Whether a JSON pointer leads to a member of the body, or to a missing member of an existing parent."""
    *parents, last = pointer.split("/")[1:] or [""]
    for step in parents:
        body = body[int(step)] if isinstance(body, list) else body[step.replace("~1", "/").replace("~0", "~")]
    return pointer == "" or isinstance(body, dict) or (isinstance(body, list) and int(last) < len(body))
