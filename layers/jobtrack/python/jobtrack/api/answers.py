"""Answers as JSON, and errors as problem+json (RFC 9457)."""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from jobtrack.api.faults import faults, summary
from jobtrack.errors import Fault, InvalidRequest, JobTrackError, Unprocessable

PROBLEM = "application/problem+json"

_HTTP_CODES = {404: ("not_found", "Not found"), 405: ("method_not_allowed", "Method not allowed")}


def answer(content: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A JSON answer."""
    return Response(orjson.dumps(content), status, dict(headers or {}), "application/json")


def on_error(request: Request, error: JobTrackError) -> Response:
    """What a refused request is answered."""
    headers = {} if error.retry_after is None else {"Retry-After": str(error.retry_after)}
    return problem(request, error.status, error.code, error.title, error.detail, error.faults, headers)


def on_invalid(request: Request, error: RequestValidationError) -> Response:
    """What a request out of contract is answered: every fault, with a pointer to it."""
    found = faults(error.errors(), error.body)
    return on_error(request, Unprocessable(summary(found), found))


def on_http_error(request: Request, error: HTTPException) -> Response:
    """What an unknown path or method is answered, and a body that FastAPI itself cannot read."""
    if error.status_code == 400:
        return on_error(request, InvalidRequest("The body cannot be read."))
    code, title = _HTTP_CODES.get(error.status_code, ("http_error", "Not served"))
    return problem(request, error.status_code, code, title, title, (), dict(error.headers or {}))


def on_crash(request: Request) -> Response:
    """What our own fault is answered: nothing of what went wrong, but an id to find it by."""
    return problem(request, 500, "internal_error", "Internal error", "The service failed; try again.", (), {})


def problem(
    request: Request,
    status: int,
    code: str,
    title: str,
    detail: str,
    found: Sequence[Fault],
    headers: dict[str, str],
) -> Response:
    """A problem+json answer; `requestId` is API Gateway's, where there is one."""
    content = {
        "type": f"urn:jobtrack:problem:{code}",
        "title": title,
        "status": status,
        "detail": detail,
        "instance": request.url.path,
        "code": code,
        "requestId": request_id(request),
    }
    if found:
        content["errors"] = [{"pointer": fault.pointer, "detail": fault.detail} for fault in found]
    return Response(orjson.dumps(content), status, headers, PROBLEM)


def request_id(request: Request) -> str:
    """The id under which the gateway knows the request."""
    context = request.scope.get("aws.event", {}).get("requestContext", {})
    return str(context.get("requestId") or uuid.uuid4())
