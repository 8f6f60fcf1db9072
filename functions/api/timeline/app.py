"""`GET …/job/{jobId}/timeline`: what happened to a job, and what is expected to happen."""

from typing import Annotated

from fastapi import Query, Request, Response

from jobtrack import aws, times
from jobtrack.api import create_router, etag_headers, job_key, json_response, lambda_handler, language
from jobtrack.api.schemas.job_queries import TimelineQuery
from jobtrack.api.timeline_pages import TimelinePages
from jobtrack.settings import Settings
from jobtrack.store.job_reader import JobReader
from jobtrack.store.journal_reader import JournalReader
from jobtrack.store.timeline import TimelineReader
from jobtrack.views.timeline import timeline

settings = Settings.from_env()
dynamodb = aws.client("dynamodb")
jobs = JobReader(dynamodb, settings.jobs_table)
pages = TimelinePages(TimelineReader(JournalReader(dynamodb, settings.jobs_table)))
router = create_router()


@router.get("/job/{jobId}/timeline")
def get_timeline(request: Request, query: Annotated[TimelineQuery, Query()]) -> Response:
    """Return a page of events, oldest first, and the upcoming events.

    A page that would not fit into a response ends early.
    """
    snapshot, preferred = jobs.read_snapshot(job_key(request)), language(request)
    headers = etag_headers(request, snapshot.job)
    events, cursor = pages.read_page(snapshot, query, preferred)
    content = timeline(snapshot.job, query.granularity, events, cursor, preferred, times.now())
    return json_response(content, headers=headers)


handler = lambda_handler(router)
