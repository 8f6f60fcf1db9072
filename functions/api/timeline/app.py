"""`GET …/job/{jobId}/timeline`: what happened to a job, and what is expected to happen."""

from typing import Annotated

from fastapi import Query, Request, Response

from jobtrack import aws, times
from jobtrack.api import create_router, cursors, etag_headers, job_key, json_response, lambda_handler, language
from jobtrack.api.schemas.job_queries import TimelineQuery
from jobtrack.domain.event_text import Language
from jobtrack.domain.timeline import Scope
from jobtrack.settings import Settings
from jobtrack.store.job_reader import JobReader
from jobtrack.store.journal_reader import JournalReader, Place
from jobtrack.store.snapshots import Snapshot
from jobtrack.store.timeline import TimelineReader
from jobtrack.views.page_size import take_fitting
from jobtrack.views.responses.timeline import TimelineEvent
from jobtrack.views.timeline import entry, timeline

settings = Settings.from_env()
dynamodb = aws.client("dynamodb")
jobs = JobReader(dynamodb, settings.jobs_table)
reader = TimelineReader(JournalReader(dynamodb, settings.jobs_table))
router = create_router()


@router.get("/job/{jobId}/timeline")
def get_timeline(request: Request, query: Annotated[TimelineQuery, Query()]) -> Response:
    """Return a page of events, oldest first, and the upcoming events.

    A page that would not fit into a response ends early.
    """
    snapshot, preferred = jobs.read_snapshot(job_key(request)), language(request)
    headers = etag_headers(request, snapshot.job)
    events, cursor = cursors.read_page(
        f"{snapshot.key.partition}/timeline",
        cursors.JOURNAL,
        query.cursor,
        lambda after: _read_events(snapshot, query, preferred, after),
    )
    content = timeline(snapshot.job, query.granularity, events, cursor, preferred, times.now())
    return json_response(content, headers=headers)


def _read_events(
    snapshot: Snapshot, query: TimelineQuery, preferred: Language, after: Place | None
) -> tuple[list[TimelineEvent], Place | None]:
    scope = Scope(query.granularity, query.include_sub_events)
    records, more = reader.read_page(snapshot, scope, query.limit, after)
    events = take_fitting(entry(snapshot.job, record, preferred) for record in records)
    return events, records[len(events) - 1].place if more or len(events) < len(records) else None


handler = lambda_handler(router)
