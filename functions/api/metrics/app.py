"""`GET …/job/{jobId}/metrics`: the resources that a job uses, its efficiency, and how it compares."""

from typing import Annotated

from fastapi import Query, Request, Response

from jobtrack import aws, limits, times
from jobtrack.api import create_router, etag_headers, job_key, json_response, lambda_handler
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

_TREND_BUCKETS = 2


@router.get("/job/{jobId}/metrics")
def get_metrics(request: Request, query: Annotated[MetricsQuery, Query()]) -> Response:
    """Return current figures, trends and benchmarks; with `includeHistory` also the newest buckets, at most 3,000."""
    snapshot = jobs.read_snapshot(job_key(request))
    headers = etag_headers(request, snapshot.job)
    count = limits.HISTORY_BUCKETS if query.include_history else _TREND_BUCKETS
    newest = reader.read_newest_buckets(snapshot, query.minutes, count)
    content = metrics(snapshot.job, newest, query.include_history, query.metrics, times.now())
    return json_response(content, headers=headers)


handler = lambda_handler(router)
