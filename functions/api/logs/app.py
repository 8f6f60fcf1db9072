"""`GET …/job/{jobId}/logs`: what a job logged."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import Query, Request, Response

from jobtrack import aws, times
from jobtrack.api import create_router, cursors, job_key, json_response, lambda_handler, unless_known
from jobtrack.api.schemas.job_queries import LogQuery
from jobtrack.domain.journal.journal import Record
from jobtrack.settings import Settings
from jobtrack.store.job_reader import JobReader
from jobtrack.store.journal_reader import JournalReader, Range
from jobtrack.store.log_follower import LogFollower
from jobtrack.store.snapshots import Snapshot
from jobtrack.views.logs import fitting, levels_from, logs
from jobtrack.views.raw_logs import raw

settings = Settings.from_env()
dynamodb = aws.client("dynamodb")
jobs = JobReader(dynamodb, settings.jobs_table)
reader = JournalReader(dynamodb, settings.jobs_table)
follower = LogFollower(dynamodb, settings.jobs_table)
router = create_router()

Page = tuple[Sequence[Record], str | None, int]
"""Entries, the cursor that goes on, and the sequence to follow from."""


@router.get("/job/{jobId}/logs")
def get_logs(request: Request, query: Annotated[LogQuery, Query()]) -> Response:
    """The newest entries of at least a level (or the oldest, or those after a sequence), in order."""
    snapshot = jobs.read_snapshot(job_key(request))
    headers = unless_known(request, snapshot.job)
    read = _walk if query.since_sequence is None else _follow
    records, cursor, sequence = read(snapshot, query)
    if query.format == "raw":
        headers |= {"Last-Sequence": str(sequence)} | ({"Next-Cursor": cursor} if cursor else {})
        return Response("".join(f"{raw(record)}\n" for record in records), 200, headers, "text/plain; charset=utf-8")
    shown = logs(snapshot.job, snapshot.journal, records, cursor, sequence, times.now())
    return json_response(shown, headers=headers)


def _walk(snapshot: Snapshot, query: LogQuery) -> Page:
    """A page by time; an answer that would grow too large ends early."""
    place, backward = snapshot.key.partition, query.direction == "backward"
    after = cursors.decode(place, query.direction, query.cursor) if query.cursor else None
    asked = Range(levels_from(query.level), query.from_time, query.to_time, query.limit, backward, after)
    records, more = reader.read_page(snapshot, asked)
    kept = fitting(records, backward)
    if not kept or not (more or len(kept) < len(records)):
        return kept, None, snapshot.job.sequence
    last = kept[0] if backward else kept[-1]
    return kept, cursors.encode(place, query.direction, last.place), snapshot.job.sequence


def _follow(snapshot: Snapshot, query: LogQuery) -> Page:
    """A page by sequence."""
    asked = Range(levels_from(query.level), query.from_time, query.to_time, query.limit)
    records, sequence = follower.read_lines(snapshot, asked, query.since_sequence or 0)
    kept = fitting(records, backward=False)
    return kept, None, sequence if len(kept) == len(records) else kept[-1].sequence


handler = lambda_handler(router)
