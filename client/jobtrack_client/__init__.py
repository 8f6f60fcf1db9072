"""The Python client of jobtrack. Workers report jobs with it, and programs read them.

>>> with Client() as client, client.job("Nightly import", job_type="import", stages=["Load"]) as job:
...     with job.stage("Load", total=len(rows)) as stage:
...         for row in rows:
...             stage.advance()
"""

from jobtrack_client._runtime import own_program as own_program  # first, because it cleans the import path

# isort: split
from jobtrack_client import models, types
from jobtrack_client._api._async.client import AsyncClient
from jobtrack_client._api.retries import Backoff
from jobtrack_client._api.webhooks import verify_webhook
from jobtrack_client._exceptions import (
    ApiError,
    BadRequest,
    ConfigurationError,
    Conflict,
    Fault,
    Forbidden,
    InProgress,
    JobTrackError,
    NotFound,
    RequestTimeout,
    ServerError,
    TimedOut,
    TokenUnavailable,
    TooLarge,
    TooManyRequests,
    Unauthorized,
    UnexpectedResponse,
    Unprocessable,
    Unreachable,
    UnsupportedMediaType,
    WebhookVerificationError,
)
from jobtrack_client._jobs.client import Client
from jobtrack_client._jobs.context import current_job
from jobtrack_client._jobs.job import Job
from jobtrack_client._jobs.job_tracker import JobTracker
from jobtrack_client._jobs.stage import Stage
from jobtrack_client._loops.track import Track, track
from jobtrack_client._reporting.options import ReporterOptions
from jobtrack_client._reporting.stats import Reason, Stats
from jobtrack_client.integrations.install import install

__all__ = [
    "ApiError",
    "AsyncClient",
    "Backoff",
    "BadRequest",
    "Client",
    "ConfigurationError",
    "Conflict",
    "Fault",
    "Forbidden",
    "InProgress",
    "Job",
    "JobTrackError",
    "JobTracker",
    "NotFound",
    "Reason",
    "ReporterOptions",
    "RequestTimeout",
    "ServerError",
    "Stage",
    "Stats",
    "TimedOut",
    "TokenUnavailable",
    "TooLarge",
    "TooManyRequests",
    "Track",
    "Unauthorized",
    "UnexpectedResponse",
    "Unprocessable",
    "Unreachable",
    "UnsupportedMediaType",
    "WebhookVerificationError",
    "current_job",
    "install",
    "models",
    "track",
    "types",
    "verify_webhook",
]
