"""Routers as an application and as a Lambda handler."""

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.exceptions import RequestValidationError
from mangum import Mangum
from mangum.adapter import DEFAULT_TEXT_MIME_TYPES
from starlette.exceptions import HTTPException

from jobtrack.api import problems
from jobtrack.errors import JobTrackError
from jobtrack.settings import Settings


def create_app(*routers: APIRouter) -> FastAPI:
    """Return an application that checks tokens by the stack's settings and returns every error as problem+json."""
    app = FastAPI(title="jobtrack", openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
    app.state.claims = Settings.from_env().claims
    for router in routers:
        app.router.routes.extend(router.routes)  # include_router() would match each request twice
    app.add_exception_handler(JobTrackError, problems.on_error)  # type: ignore[arg-type]
    app.add_exception_handler(RequestValidationError, problems.on_invalid)  # type: ignore[arg-type]
    app.add_exception_handler(HTTPException, problems.on_http_error)  # type: ignore[arg-type]
    return app


def lambda_handler(router: APIRouter) -> Callable[[Any, Any], dict[str, Any]]:
    """Return the Lambda handler of a router, for API Gateway's payload format 2.0."""
    return Mangum(create_app(router), lifespan="off", text_mime_types=[*DEFAULT_TEXT_MIME_TYPES, problems.MEDIA_TYPE])
