"""`GET …/job/{jobId}/metrics`: what a job uses, how well it does, and how it compares."""

from typing import Annotated

from fastapi import Query, Request, Response

from jobtrack import aws, limits, times
from jobtrack.api import create_router, job_key, json_response, lambda_handler, unless_known
from jobtrack.api.schemas.job_queries import MetricsQuery
from jobtrack.settings import Settings
from jobtrack.store.job_reader import JobReader
from jobtrack.store.journal_reader import JournalReader
from jobtrack.store.metric_history import MetricHistoryReader
from jobtrack.views.metrics import metrics

settings = Settings.from_env()
dynamodb = aws.client("dynamodb")
jobs = JobReader(dynamodb, settings.jobs_table)
reader = MetricHistoryReader(JournalReader(dynamodb, settings.jobs_table))
router = create_router()

_FOR_TRENDS = 2


@router.get("/job/{jobId}/metrics")
def get_metrics(request: Request, query: Annotated[MetricsQuery, Query()]) -> Response:
    """The present figures, trends and benchmarks; with `includeHistory` the newest buckets too, at most 3,000."""
    snapshot = jobs.read_snapshot(job_key(request))
    headers = unless_known(request, snapshot.job)
    most = limits.HISTORY_BUCKETS if query.include_history else _FOR_TRENDS
    newest = reader.read_newest_buckets(snapshot, query.minutes, most)
    shown = metrics(snapshot.job, newest, query.include_history, query.metrics, times.now())
    return json_response(shown, headers=headers)


handler = lambda_handler(router)
