"""`GET …/tracking/batch`: many jobs at a glance, and the health of the system that runs them."""

from typing import Annotated

from fastapi import Query, Request, Response

from jobtrack import aws, times
from jobtrack.api import create_router, cursors, json_response, lambda_handler, project_key
from jobtrack.api.schemas.project_queries import BatchQuery
from jobtrack.domain.job_queue import JobQueue
from jobtrack.keys import ProjectKey
from jobtrack.settings import Settings
from jobtrack.store.job_lists import JobLister
from jobtrack.store.job_queue import QueueReader
from jobtrack.store.status_index import queued_places
from jobtrack.views.batch import Page, batch

settings = Settings.from_env()
dynamodb = aws.client("dynamodb")
lister = JobLister(dynamodb, settings.jobs_table)
reader = QueueReader(dynamodb, settings.jobs_table)
router = create_router()


@router.get("/tracking/batch")
def get_batch(request: Request, query: Annotated[BatchQuery, Query()]) -> Response:
    """Return the jobs with the given ids, or a page of the project's jobs, newest first; both can be filtered."""
    owner, refresh = project_key(request), query.refresh_interval
    queue = reader.read_queue(owner, times.now())
    page = _read_page(owner, query, queue) if query.job_ids is None else _read_jobs(owner, query, query.job_ids)
    queue = reader.correct_queue(owner, queue, page.jobs)
    headers = {} if refresh is None else {"Cache-Control": f"private, max-age={refresh}"}
    return json_response(batch(page, queue, query.include_metrics, refresh), headers=headers)


def _read_jobs(owner: ProjectKey, query: BatchQuery, job_ids: list[str]) -> Page:
    snapshots = lister.read_snapshots(owner, job_ids)
    jobs = [snapshot.job for snapshot in snapshots.values() if query.job_filter.matches(snapshot.job)]
    return Page(jobs, [job_id for job_id in job_ids if job_id not in snapshots], None)


def _read_page(owner: ProjectKey, query: BatchQuery, queue: JobQueue) -> Page:
    snapshots, cursor = cursors.read_page(
        f"{owner.partition}/batch",
        cursors.JOBS,
        query.cursor,
        lambda after: lister.read_page(owner, query.job_filter, query.limit, after, queued_places(queue)),
    )
    return Page([snapshot.job for snapshot in snapshots], [], cursor)


handler = lambda_handler(router)
