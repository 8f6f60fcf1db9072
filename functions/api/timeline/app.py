"""`GET …/job/{jobId}/timeline`: what happened to a job, and what is expected to."""

from typing import Annotated

from fastapi import Query, Request, Response

from jobtrack import aws, times
from jobtrack.api import create_router, cursors, job_key, json_response, lambda_handler, language, unless_known
from jobtrack.api.schemas.job_queries import TimelineQuery
from jobtrack.domain.event_text import Language
from jobtrack.domain.timeline import Scope
from jobtrack.settings import Settings
from jobtrack.store.job_reader import JobReader
from jobtrack.store.journal_reader import JournalReader
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

_WALK = "timeline"


@router.get("/job/{jobId}/timeline")
def get_timeline(request: Request, query: Annotated[TimelineQuery, Query()]) -> Response:
    """The oldest events (or those beyond a cursor), in order, and the upcoming ones."""
    snapshot = jobs.read_snapshot(job_key(request))
    headers = unless_known(request, snapshot.job)
    entries, cursor = _page(snapshot, query, language(request))
    shown = timeline(snapshot.job, query.granularity, entries, cursor, language(request), times.now())
    return json_response(shown, headers=headers)


def _page(snapshot: Snapshot, query: TimelineQuery, spoken: Language) -> tuple[list[TimelineEvent], str | None]:
    """A page of entries, and the cursor that goes on; an answer that would grow too large ends early."""
    place = snapshot.key.partition
    after = cursors.decode(place, _WALK, query.cursor) if query.cursor else None
    scope = Scope(query.granularity, query.include_sub_events)
    records, more = reader.read_page(snapshot, scope, query.limit, after)
    entries = take_fitting(entry(snapshot.job, record, spoken) for record in records)
    if not more and len(entries) == len(records):
        return entries, None
    return entries, cursors.encode(place, _WALK, records[len(entries) - 1].place)


handler = lambda_handler(router)
