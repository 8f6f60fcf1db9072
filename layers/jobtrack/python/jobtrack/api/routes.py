"""Routes that authorize the caller before they read anything."""

import re
from collections.abc import Callable, Coroutine
from functools import wraps
from inspect import iscoroutinefunction
from typing import Any

from aws_lambda_powertools import Logger
from fastapi import APIRouter, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException

from jobtrack import log_filter
from jobtrack.api import cursors
from jobtrack.api.etags import NotModified
from jobtrack.api.problems import on_crash, on_error, request_id
from jobtrack.api.requests import JsonRequest, authorize
from jobtrack.api.threads import run_blocking
from jobtrack.errors import Fault, JobTrackError, Unavailable, Unprocessable
from jobtrack.transient_errors import passes

PREFIX = "/api/{tenantId}/{projectId}/execution"

logger = Logger(service="jobtrack.api")
logger.setLevel(log_filter.level())  # Powertools prefers Lambda's own filter, which stays open

_GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII), "a GUID"
_IDS = {
    "tenantId": _GUID,
    "projectId": _GUID,
    "jobId": _GUID,
    "subscriptionId": (cursors.SUBSCRIPTION_ID, "sub- and a GUID"),
    "messageId": (cursors.MESSAGE_ID, "a webhook-id"),
}


class Route(APIRoute):
    """Authorizes the caller, checks the ids of the path and the media type, and turns exceptions into responses.

    An endpoint that is not a coroutine may block. anyio's threads, which FastAPI would use, cost twice as much.
    """

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        super().__init__(path, endpoint if iscoroutinefunction(endpoint) else _awaitable(endpoint), **options)

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler of a request."""
        handle_with_fastapi = super().get_route_handler()

        async def handle(request: Request) -> Response:
            checked = JsonRequest(request.scope, request.receive)
            try:
                checked.state.caller = authorize(checked)
                _require_ids(checked)
                if self.body_field is not None and (self.body_field.field_info.is_required() or await checked.body()):
                    checked.require_json()
                    await checked.json()  # FastAPI would turn any exception in this call into a bare 400
                return await handle_with_fastapi(checked)
            except (JobTrackError, RequestValidationError, HTTPException):
                raise
            except NotModified as not_modified:
                return not_modified.response()
            except Exception as error:
                return _failed(request, error)

        return handle


def _awaitable(endpoint: Callable[..., Any]) -> Callable[..., Coroutine[Any, Any, Any]]:
    @wraps(endpoint)
    async def call(**arguments: Any) -> Any:
        return await run_blocking(endpoint, **arguments)

    return call


def create_router() -> APIRouter:
    """Return a router for the API's base path."""
    return APIRouter(prefix=PREFIX, route_class=Route)


def _failed(request: Request, error: Exception) -> Response:
    """Return 503 if a service that this one needs is throttled or unavailable, since a retry can help; else 500."""
    request_name, path = request_id(request), request.url.path
    if passes(error):
        # The error names the failed call. A traceback of each request would fill the log during an outage.
        logger.warning("a service is throttled or unavailable: %s", error, request_id=request_name, path=path)
        return on_error(request, Unavailable())
    logger.error("request failed", exc_info=error, request_id=request_name, path=path)
    return on_crash(request)


def _require_ids(request: Request) -> None:
    faults = [
        Fault(f"/path/{name}", f"must be {kind}")
        for name, (expression, kind) in _IDS.items()
        if name in request.path_params and not expression.fullmatch(request.path_params[name].lower())
    ]
    if faults:
        raise Unprocessable("; ".join(f"{fault.pointer} {fault.detail}" for fault in faults) + ".", faults)
