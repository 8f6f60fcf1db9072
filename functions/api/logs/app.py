"""`GET …/job/{jobId}/logs`: the log lines of a job."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import Query, Request, Response

from jobtrack import aws, times
from jobtrack.api import create_router, cursors, etag_headers, job_key, json_response, lambda_handler
from jobtrack.api.schemas.job_queries import LogQuery
from jobtrack.domain.journal.records import Record
from jobtrack.settings import Settings
from jobtrack.store.job_reader import JobReader
from jobtrack.store.journal_reader import JournalQuery, JournalReader, Place
from jobtrack.store.log_follower import LogFollower
from jobtrack.store.snapshots import Snapshot
from jobtrack.views.logs import levels_from, logs, take_fitting_records
from jobtrack.views.raw_logs import raw

settings = Settings.from_env()
dynamodb = aws.client("dynamodb")
jobs = JobReader(dynamodb, settings.jobs_table)
reader = JournalReader(dynamodb, settings.jobs_table)
follower = LogFollower(dynamodb, settings.jobs_table)
router = create_router()

Page = tuple[Sequence[Record], str | None, int]
"""Log lines, the cursor of the next page, and the sequence from which to follow the log."""


@router.get("/job/{jobId}/logs")
def get_logs(request: Request, query: Annotated[LogQuery, Query()]) -> Response:
    """Return a page of log lines in order of time: the newest, the oldest, or those after a sequence.

    A page that would not fit into a response ends early.
    """
    snapshot = jobs.read_snapshot(job_key(request))
    headers = etag_headers(request, snapshot.job)
    records, cursor, sequence = (_read_page if query.since_sequence is None else _follow)(snapshot, query)
    if query.format == "raw":
        headers |= {"Last-Sequence": str(sequence)} | ({"Next-Cursor": cursor} if cursor else {})
        return Response("".join(f"{raw(record)}\n" for record in records), 200, headers, "text/plain; charset=utf-8")
    content = logs(snapshot.job, snapshot.journal, records, cursor, sequence, times.now())
    return json_response(content, headers=headers)


def _read_page(snapshot: Snapshot, query: LogQuery) -> Page:
    """Read a page by time."""
    records, cursor = cursors.read_page(
        f"{snapshot.key.partition}/{query.direction}",
        cursors.JOURNAL,
        query.cursor,
        lambda after: _read_records(snapshot, query, after),
    )
    return records, cursor, snapshot.job.sequence


def _read_records(snapshot: Snapshot, query: LogQuery, after: Place | None) -> tuple[Sequence[Record], Place | None]:
    backward = query.direction == "backward"
    lines = JournalQuery(levels_from(query.level), query.from_time, query.to_time, query.limit, backward, after)
    records, more = reader.read_page(snapshot, lines)
    fitting = take_fitting_records(records, backward)
    if not fitting or not (more or len(fitting) < len(records)):
        return fitting, None
    return fitting, fitting[0 if backward else -1].place


def _follow(snapshot: Snapshot, query: LogQuery) -> Page:
    """Read a page by sequence."""
    lines = JournalQuery(levels_from(query.level), query.from_time, query.to_time, query.limit)
    records, sequence = follower.read_lines(snapshot, lines, query.since_sequence or 0)
    fitting = take_fitting_records(records, backward=False)
    return fitting, None, sequence if len(fitting) == len(records) else fitting[-1].sequence


handler = lambda_handler(router)
