"""The HTTP edge: what all functions of the API share."""

from jobtrack.api.app import create_app, lambda_handler
from jobtrack.api.etags import etag_headers
from jobtrack.api.language import language
from jobtrack.api.requests import caller, idempotency, job_key, most_subscriptions, project_key, subscription_id
from jobtrack.api.responses import json_response
from jobtrack.api.routes import create_router
from jobtrack.api.threads import run_blocking

__all__ = [
    "caller",
    "create_app",
    "create_router",
    "etag_headers",
    "idempotency",
    "job_key",
    "json_response",
    "lambda_handler",
    "language",
    "most_subscriptions",
    "project_key",
    "run_blocking",
    "subscription_id",
]
