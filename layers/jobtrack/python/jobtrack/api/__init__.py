"""The edge to HTTP: what every function of the API shares."""

from jobtrack.api.answers import answer
from jobtrack.api.app import create_app, lambda_handler
from jobtrack.api.etags import unless_known
from jobtrack.api.language import language
from jobtrack.api.requests import caller, idempotency, job_key, most_subscriptions, project_key, subscription_id
from jobtrack.api.routes import create_router

__all__ = [
    "answer",
    "caller",
    "create_app",
    "create_router",
    "idempotency",
    "job_key",
    "lambda_handler",
    "language",
    "most_subscriptions",
    "project_key",
    "subscription_id",
    "unless_known",
]
