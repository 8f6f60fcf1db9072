"""A router as an application, and as a Lambda function."""

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.exceptions import RequestValidationError
from mangum import Mangum
from mangum.adapter import DEFAULT_TEXT_MIME_TYPES
from starlette.exceptions import HTTPException

from jobtrack.api import answers
from jobtrack.errors import JobTrackError
from jobtrack.settings import Settings


def create_app(*routers: APIRouter) -> FastAPI:
    """An application of these routers that reads tokens as the stack says, and answers every error as problem+json."""
    app = FastAPI(title="jobtrack", openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
    app.state.claims = Settings.from_env().claims
    for router in routers:
        app.include_router(router)
    app.add_exception_handler(JobTrackError, answers.on_error)  # type: ignore[arg-type]
    app.add_exception_handler(RequestValidationError, answers.on_invalid)  # type: ignore[arg-type]
    app.add_exception_handler(HTTPException, answers.on_http_error)  # type: ignore[arg-type]
    return app


def lambda_handler(router: APIRouter) -> Callable[[Any, Any], dict[str, Any]]:
    """The Lambda handler of a router, for API Gateway's payload 2.0."""
    return Mangum(create_app(router), lifespan="off", text_mime_types=[*DEFAULT_TEXT_MIME_TYPES, answers.PROBLEM])
