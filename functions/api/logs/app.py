"""`GET …/job/{jobId}/logs`: what a job logged."""

from typing import Annotated, Literal

from fastapi import Query, Request, Response

from jobtrack import aws, cursors, limits, times
from jobtrack.api import answer, create_router, job_key, lambda_handler
from jobtrack.errors import Fault, Unprocessable
from jobtrack.fields import Moment
from jobtrack.settings import Settings
from jobtrack.store.jobs import JobStore
from jobtrack.store.reader import EARLIEST, LATEST, JournalReader, Range
from jobtrack.views.logs import entry, fitting, levels_from, logs

settings = Settings.from_env()
dynamodb = aws.client("dynamodb")
jobs = JobStore(dynamodb, settings.jobs_table)
reader = JournalReader(dynamodb, settings.jobs_table)
router = create_router()


@router.get("/job/{jobId}/logs")
def get_logs(
    request: Request,
    level: Literal["DEBUG", "INFO", "WARN", "ERROR"] = "INFO",
    from_time: Annotated[Moment, Query(alias="fromTime")] = EARLIEST,
    to_time: Annotated[Moment, Query(alias="toTime")] = LATEST,
    limit: Annotated[int, Query(ge=1, le=limits.LOG_ENTRIES)] = limits.LOG_ENTRIES_DEFAULT,
    direction: Literal["backward", "forward"] = "backward",
    cursor: str | None = None,
) -> Response:
    """The newest entries (or the oldest, forward) of at least a level, ascending by time."""
    if from_time > to_time:
        raise Unprocessable("fromTime is after toTime.", [Fault("/query/fromTime", "is after toTime")])
    key = job_key(request)
    after = cursors.decode(key.job, direction, cursor) if cursor else None
    asked = Range(levels_from(level), from_time, to_time, limit, direction == "backward", after)
    snapshot = jobs.read(key)
    records, more = reader.page(snapshot, asked)
    kept = fitting(records, asked.backward)
    last = (kept[0] if asked.backward else kept[-1]).place if kept and (more or len(kept) < len(records)) else None
    goes_on = cursors.encode(key.job, direction, last) if last else None
    return answer(logs(snapshot.job, snapshot.journal, [entry(record) for record in kept], goes_on, times.now()))


handler = lambda_handler(router)
