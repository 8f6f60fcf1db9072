"""Errors as problem+json (RFC 9457)."""

import uuid
from collections.abc import Sequence
from typing import Annotated, NotRequired

import orjson
from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from typing_extensions import TypedDict

from jobtrack.api.validation_errors import faults, summary
from jobtrack.errors import Fault, InvalidRequest, JobTrackError, Unprocessable
from jobtrack.views.responses.fields import Schema

MEDIA_TYPE = "application/problem+json"

_HTTP_CODES = {404: ("not_found", "Not found"), 405: ("method_not_allowed", "Method not allowed")}


class ProblemFault(TypedDict):
    """A value that is wrong."""

    pointer: str
    """JSON pointer into the body, or `/query/name`, `/path/name`, `/header/name`"""
    detail: str
    """What is wrong with the value"""


class Problem(TypedDict):
    """Why a request was refused (RFC 9457)."""

    type: Annotated[str, Schema(format="uri", description="`urn:jobtrack:problem:` and the code")]
    title: str
    status: int
    """The HTTP status"""
    detail: str
    """What is wrong, for people"""
    instance: str
    """The path of the request"""
    code: str
    """What is wrong, for programs"""
    requestId: str
    errors: NotRequired[list[ProblemFault]]
    """Each value that is wrong"""


def on_error(request: Request, error: JobTrackError) -> Response:
    """Return the response to a request that the service refuses."""
    headers = {} if error.retry_after is None else {"Retry-After": str(error.retry_after)}
    return _response(request, error.status, error.code, error.title, error.detail, error.faults, headers)


def on_invalid(request: Request, error: RequestValidationError) -> Response:
    """Return the response to a request with invalid values; it points to each of them."""
    invalid_values = faults(error.errors(), error.body)
    return on_error(request, Unprocessable(summary(invalid_values), invalid_values))


def on_http_error(request: Request, error: HTTPException) -> Response:
    """Return the response to an unknown path or method, or to a body that FastAPI cannot read."""
    if error.status_code == 400:
        return on_error(request, InvalidRequest("The body cannot be read."))
    code, title = _HTTP_CODES.get(error.status_code, ("http_error", "Request failed"))
    return _response(request, error.status_code, code, title, title, (), dict(error.headers or {}))


def on_crash(request: Request) -> Response:
    """Return the response to a request on which the service failed: no details, but an id to find them in the log."""
    return _response(request, 500, "internal_error", "Internal error", "The service failed; try again.", (), {})


def _response(
    request: Request,
    status: int,
    code: str,
    title: str,
    detail: str,
    faults: Sequence[Fault],
    headers: dict[str, str],
) -> Response:
    problem: Problem = {
        "type": f"urn:jobtrack:problem:{code}",
        "title": title,
        "status": status,
        "detail": detail,
        "instance": request.url.path,
        "code": code,
        "requestId": request_id(request),
    }
    if faults:
        problem["errors"] = [{"pointer": fault.pointer, "detail": fault.detail} for fault in faults]
    return Response(orjson.dumps(problem), status, headers, MEDIA_TYPE)


def request_id(request: Request) -> str:
    """Return API Gateway's id of the request, or a new one where there is no gateway."""
    context = request.scope.get("aws.event", {}).get("requestContext", {})
    return str(context.get("requestId") or uuid.uuid4())
