"""`GET …/queue`: who waits, for how long, and what there is to run on."""

from typing import Annotated

from fastapi import Query, Request, Response

from jobtrack import aws, times
from jobtrack.api import create_router, cursors, json_response, lambda_handler, project_key
from jobtrack.api.schemas.project_queries import ProjectQuery
from jobtrack.domain.job import JobStatus
from jobtrack.domain.queue_forecast import Queue, Waiting
from jobtrack.keys import ProjectKey
from jobtrack.settings import Settings
from jobtrack.store import status_index
from jobtrack.store.job_lists import JobLister
from jobtrack.store.job_queue import QueueReader, knowing
from jobtrack.views import queue as view

settings = Settings.from_env()
dynamodb = aws.client("dynamodb")
lister = JobLister(dynamodb, settings.jobs_table)
reader = QueueReader(dynamodb, settings.jobs_table)
router = create_router()

_WALK = "queue"


@router.get("/queue")
def get_queue(request: Request, query: Annotated[ProjectQuery, Query()]) -> Response:
    """The queue as a whole, and a page of its jobs in its order; those that have left it meanwhile are left out."""
    owner = project_key(request)
    found = reader.read_queue(owner, times.now())
    page, cursor = _page(owner, found, query)
    jobs = [snapshot.job for snapshot in lister.read_snapshots(owner, [each.job for each in page]).values()]
    return json_response(
        view.queue(knowing(found, jobs), [job for job in jobs if job.status is JobStatus.QUEUED], cursor)
    )


def _page(owner: ProjectKey, found: Queue, query: ProjectQuery) -> tuple[list[Waiting], str | None]:
    after = cursors.decode_listed(owner.partition, _WALK, query.cursor) if query.cursor else ""
    left = [each for each in found.waiting if status_index.queue_place(each) > after]
    page = left[: query.limit]
    goes_on = (
        cursors.encode_listed(owner.partition, _WALK, status_index.queue_place(page[-1])) if page != left else None
    )
    return page, goes_on


handler = lambda_handler(router)
