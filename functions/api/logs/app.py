"""`GET …/job/{jobId}/logs`: the log lines of a job."""

from typing import Annotated

from fastapi import Query, Request, Response

from jobtrack import aws, times
from jobtrack.api import create_router, etag_headers, job_key, json_response, lambda_handler
from jobtrack.api.log_pages import LogPages
from jobtrack.api.schemas.job_queries import LogQuery
from jobtrack.settings import Settings
from jobtrack.store.job_reader import JobReader
from jobtrack.store.journal_reader import JournalReader
from jobtrack.store.log_follower import LogFollower
from jobtrack.views.logs import logs
from jobtrack.views.raw_logs import raw

settings = Settings.from_env()
dynamodb = aws.client("dynamodb")
jobs = JobReader(dynamodb, settings.jobs_table)
pages = LogPages(JournalReader(dynamodb, settings.jobs_table), LogFollower(dynamodb, settings.jobs_table))
router = create_router()


@router.get("/job/{jobId}/logs")
def get_logs(request: Request, query: Annotated[LogQuery, Query()]) -> Response:
    """Return a page of log lines in order of time: the newest, the oldest, or the lines after a sequence.

    A page that would not fit into a response ends early.
    """
    snapshot = jobs.read_snapshot(job_key(request))
    headers = etag_headers(request, snapshot.job)
    page = pages.read_page(snapshot, query)
    if query.format == "raw":
        headers |= {"Last-Sequence": str(page.sequence)} | ({"Next-Cursor": page.cursor} if page.cursor else {})
        return Response(
            "".join(f"{raw(record)}\n" for record in page.records), 200, headers, "text/plain; charset=utf-8"
        )
    content = logs(snapshot.job, snapshot.journal, page.lines, page.cursor, page.sequence, times.now())
    return json_response(content, headers=headers)


handler = lambda_handler(router)
