"""Reads responses: returns the JSON, or raises the error."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from jobtrack_client._exceptions import (
    ApiError,
    BadRequest,
    Conflict,
    Fault,
    Forbidden,
    InProgress,
    NotFound,
    RequestTimeout,
    ServerError,
    TooLarge,
    TooManyRequests,
    Unauthorized,
    UnexpectedResponse,
    Unprocessable,
    UnsupportedMediaType,
)
from jobtrack_client._values.json_values import Json

_ERRORS: dict[int, type[ApiError]] = {
    400: BadRequest,
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    408: RequestTimeout,
    409: Conflict,
    413: TooLarge,
    415: UnsupportedMediaType,
    422: Unprocessable,
    429: TooManyRequests,
}


@dataclass(frozen=True, slots=True)
class Reply:
    """A successful response: its JSON, or None if it has no body, and its ETag."""

    json: Any
    etag: str | None = None


def read_response(response: httpx.Response, clock: Callable[[], float], etag: str | None = None) -> Reply:
    """Return a successful response, or the 304 that says that `etag` is still current.

    Raises:
        ApiError: the response is an error, or its body is not a JSON object.
    """
    if etag is not None and response.status_code == httpx.codes.NOT_MODIFIED:
        return Reply(None, etag)
    if not response.is_success:
        raise _error(response, clock)
    if response.status_code == httpx.codes.NO_CONTENT:
        return Reply(None)
    body = _json_object(response)
    if body is None:
        why = f"the response{_through(response)} is not a JSON object; is this the address of the service?"
        raise UnexpectedResponse(response.status_code, why)
    return Reply(body, response.headers.get("ETag"))


def refused_ticket(status: int) -> ApiError | None:
    """Return the error for the status of a refused WebSocket ticket; None for any other status."""
    why = "the service refused the WebSocket's ticket"
    return _ERRORS[status](status, why) if status in (401, 403) else None


def _error(response: httpx.Response, clock: Callable[[], float]) -> ApiError:
    """Return the error for a response."""
    problem = _json_object(response) or {}
    wait = retry_after(response.headers.get("Retry-After"), clock)
    return _kind(response.status_code, wait)(
        response.status_code,
        _text(problem, "detail") or _text(problem, "message") or _unexplained(response),
        code=_text(problem, "code"),
        title=_text(problem, "title"),
        request_id=_text(problem, "requestId"),
        errors=_faults(problem.get("errors")),
        retry_after=wait,
    )


def _unexplained(response: httpx.Response) -> str:
    return f"{response.reason_phrase or 'no explanation'}{_through(response)}"


def _through(response: httpx.Response) -> str:
    """Return the error's note about a proxy, which may have sent the response."""
    proxy = response.extensions.get("proxy")
    return f" (through {proxy})" if proxy else ""


def _kind(status: int, wait: float | None) -> type[ApiError]:
    if status == httpx.codes.CONFLICT and wait is not None:
        return InProgress
    if status in _ERRORS:
        return _ERRORS[status]
    return ServerError if status >= 500 else ApiError if status >= 400 else UnexpectedResponse


def retry_after(value: str | None, clock: Callable[[], float]) -> float | None:
    """Return the seconds of a `Retry-After` header (RFC 9110, section 10.2.3): a number or a date."""
    if value is None:
        return None
    if value.strip().isascii() and value.strip().isdigit():
        return float(value)
    moment = _date(value)
    return None if moment is None else max(0.0, moment.timestamp() - clock())


def _date(value: str) -> datetime | None:
    try:
        return parsedate_to_datetime(value)
    except ValueError:
        return None


def _json_object(response: httpx.Response) -> dict[str, Json] | None:
    try:
        body = response.json()
    except ValueError:
        return None
    return body if isinstance(body, dict) else None


def _text(problem: dict[str, Json], name: str) -> str | None:
    value = problem.get(name)
    return value if isinstance(value, str) else None


def _faults(errors: Json) -> list[Fault]:
    items = errors if isinstance(errors, list) else []
    return [Fault(str(item.get("pointer")), str(item.get("detail"))) for item in items if isinstance(item, dict)]
