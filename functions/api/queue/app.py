"""`GET …/queue`: the queued jobs, how long they are expected to wait, and what the workers can run."""

from typing import Annotated

from fastapi import Query, Request, Response

from jobtrack import aws, times
from jobtrack.api import create_router, cursors, json_response, lambda_handler, project_key
from jobtrack.api.schemas.project_queries import ProjectQuery
from jobtrack.settings import Settings
from jobtrack.store.job_lists import JobLister
from jobtrack.store.job_queue import QueueReader
from jobtrack.views import queue as view

settings = Settings.from_env()
dynamodb = aws.client("dynamodb")
lister = JobLister(dynamodb, settings.jobs_table)
reader = QueueReader(dynamodb, settings.jobs_table)
router = create_router()


@router.get("/queue")
def get_queue(request: Request, query: Annotated[ProjectQuery, Query()]) -> Response:
    """Return the whole queue in figures, and a page of its jobs in the order in which they will start."""
    owner = project_key(request)
    queue = reader.read_queue(owner, times.now())
    page, cursor = cursors.read_page(
        f"{owner.partition}/queue",
        cursors.QUEUE,
        query.cursor,
        lambda after: reader.read_page(owner, queue, after, query.limit),
    )
    snapshots = lister.read_snapshots(owner, [waiting.job for waiting in page])
    jobs = [snapshot.job for snapshot in snapshots.values()]
    return json_response(view.queue(reader.correct_queue(owner, queue, jobs), jobs, cursor))


handler = lambda_handler(router)
