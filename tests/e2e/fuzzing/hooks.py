"""Settings of schemathesis that the API's description does not contain; imported by `schemathesis run`.

Each value is sent to a job or a subscription that accepts it, so that the response depends on the value alone.
"""

import os
import re
import uuid
from typing import Any

import httpx
import schemathesis
from schemathesis import Case, HookContext
from schemathesis.core.failures import Failure
from schemathesis.core.parameters import ParameterLocation
from schemathesis.core.transport import Response
from schemathesis.generation import GenerationMode

ENDING = {"jobCompleted", "jobFailed", "jobCancelled"}
_GUID = re.compile(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
_api = httpx.Client(
    base_url=os.environ["FUZZED_BASE"],
    headers={"Authorization": f"Bearer {os.environ['FUZZED_TOKEN']}"},
    trust_env=False,
)
_running: dict[str, str] = {}
"""The job for each operation: events that are reported to one job are not pushed to subscribers of the other."""

BEYOND_SCHEMAS = [
    (r"/query/cursor", "was not issued by this list"),
    (r"/query", "cursor cannot be combined with sinceSequence|fromTime is after toTime"),
    (r"/query/to", "must not be earlier than `from`"),
    (r"/query/jobIds", "cannot be combined with a cursor"),
    (r".*", r"must be at most \d+ bytes"),
    (r".*", "must be nested at most"),
    (r".*", "must be an integer"),  # JSON Schema accepts 60.0 as an integer
    (r".*", "is not a time between the years 1 and 9999"),
    (r".*", "must be an RFC 3339 time"),  # schemathesis accepts some invalid ones, such as an offset of 24:00
    (r".*/(webhookUrl|authentication)", ""),  # their rules depend on the type of subscription, and on the stack
    (r"", "stages must have different names|prerequisites must be different jobs"),
    (r"/prerequisites/\d+/jobId", "does not exist in this project"),
]
"""Rules that JSON Schema cannot express: a pointer, and the error's text."""


@schemathesis.hook
def before_call(context: HookContext, case: Case[Any], kwargs: dict[str, Any]) -> None:
    """Use a new job id, key and job: used ones would be refused for that reason."""
    name = case.operation.definition.raw["operationId"]
    if name in ("report", "subscribe") and _GUID.fullmatch(str(case.path_parameters.get("jobId"))):
        case.path_parameters["jobId"] = _running.get(name) or _start(name)
    if name == "create_job" and isinstance(case.body, dict) and _GUID.fullmatch(str(case.body.get("jobId"))):
        case.body["jobId"] = str(uuid.uuid4())
    if "Idempotency-Key" in case.headers and _as_described(case, ParameterLocation.HEADER):
        case.headers["Idempotency-Key"] = str(uuid.uuid4())


@schemathesis.hook
def after_call(context: HookContext, case: Case[Any], response: Response) -> None:
    """Switch to another job once this one has ended or has the maximum of live subscriptions."""
    name = case.operation.definition.raw["operationId"]
    if (name == "report" and response.status_code == 202 and _ends(case.body)) or (
        name == "subscribe" and response.status_code == 409
    ):
        _running.pop(name, None)


@schemathesis.hook
def filter_failure(context: HookContext, failure: Failure, case: Case[Any], response: Response) -> bool:
    """Whether this is a failure: neither a rule that no schema can express nor a response of API Gateway."""
    if failure.code == "ST202":
        return not _beyond_schemas(response)
    if failure.code == "ST204":
        return response.status_code != 404  # API Gateway's response to unknown routes
    return True


def _as_described(case: Case[Any], part: ParameterLocation) -> bool:
    """Whether this part of the request follows the description."""
    made = case.meta.components.get(part) if case.meta else None
    return made is not None and made.mode is GenerationMode.POSITIVE


def _beyond_schemas(response: Response) -> bool:
    told = response.json().get("errors", []) if response.status_code == 422 else []
    return bool(told) and all(
        any(
            re.fullmatch(pointer, each["pointer"]) and re.search(detail, each["detail"])
            for pointer, detail in BEYOND_SCHEMAS
        )
        for each in told
    )


def _ends(body: object) -> bool:
    events = body.get("events", []) if isinstance(body, dict) else []
    return any(event["type"] in ENDING for event in events)


def _start(operation: str) -> str:
    job = str(uuid.uuid4())
    _api.post("/jobs", json={"jobId": job, "jobName": "n", "jobType": "t"}).raise_for_status()
    _api.post(f"/job/{job}/events", json={"events": [{"type": "jobStarted"}]}).raise_for_status()
    _running[operation] = job
    return job
