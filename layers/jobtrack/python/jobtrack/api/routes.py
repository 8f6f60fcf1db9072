"""Routes that let the caller in before they read anything."""

import re
from collections.abc import Callable, Coroutine
from typing import Any

from aws_lambda_powertools import Logger
from fastapi import APIRouter, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException

from jobtrack.api.answers import on_crash, request_id
from jobtrack.api.etags import Known
from jobtrack.api.requests import JsonRequest, authorize
from jobtrack.errors import Fault, JobTrackError, Unprocessable

PREFIX = "/api/{tenantId}/{projectId}/execution"

logger = Logger()

_GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE)
_GUIDS = ("tenantId", "projectId", "jobId")


class Route(APIRoute):
    """Authorizes, checks the path's ids and the kind of body, hands over to FastAPI; answers 304 and crashes."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler of one request."""
        serve = super().get_route_handler()

        async def handle(request: Request) -> Response:
            checked = JsonRequest(request.scope, request.receive)
            try:
                checked.state.caller = authorize(checked)
                _require_guids(checked)
                if self.body_field is not None:
                    checked.require_json()
                    await checked.json()  # FastAPI would answer whatever this raises as a bare 400
                return await serve(checked)
            except (JobTrackError, RequestValidationError, HTTPException):
                raise
            except Known as known:
                return known.answer()
            except Exception:
                logger.exception("request failed", request_id=request_id(request), path=request.url.path)
                return on_crash(request)

        return handle


def create_router() -> APIRouter:
    """A router of the API's base path."""
    return APIRouter(prefix=PREFIX, route_class=Route)


def _require_guids(request: Request) -> None:
    faults = [
        Fault(f"/path/{name}", "must be a GUID")
        for name in _GUIDS
        if name in request.path_params and not _GUID.fullmatch(request.path_params[name])
    ]
    if faults:
        raise Unprocessable("; ".join(f"{fault.pointer} {fault.detail}" for fault in faults) + ".", faults)
