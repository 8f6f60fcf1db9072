"""`GET …/tracking/batch`: many jobs at a glance, and the health of the system that runs them."""

from typing import Annotated

from fastapi import Query, Request, Response

from jobtrack import aws, times
from jobtrack.api import create_router, cursors, json_response, lambda_handler, project_key
from jobtrack.api.schemas.project_queries import BatchQuery
from jobtrack.keys import ProjectKey
from jobtrack.settings import Settings
from jobtrack.store.job_lists import JobLister
from jobtrack.store.job_queue import QueueReader, knowing
from jobtrack.store.status_index import Place
from jobtrack.views.batch import Page, batch

settings = Settings.from_env()
dynamodb = aws.client("dynamodb")
lister = JobLister(dynamodb, settings.jobs_table)
queue = QueueReader(dynamodb, settings.jobs_table)
router = create_router()

_WALK = "batch"


@router.get("/tracking/batch")
def get_batch(request: Request, query: Annotated[BatchQuery, Query()]) -> Response:
    """The jobs asked for by id, or the project's, newest first; with filters, those of them that pass."""
    owner, refresh = project_key(request), query.refresh_interval
    page = _walk(owner, query) if query.job_ids is None else _named(owner, query, query.job_ids)
    standing = knowing(queue.read_queue(owner, times.now()), page.jobs)
    headers = {} if refresh is None else {"Cache-Control": f"private, max-age={refresh}"}
    return json_response(batch(page, standing, query.include_metrics, refresh), headers=headers)


def _named(owner: ProjectKey, query: BatchQuery, ids: list[str]) -> Page:
    found = lister.read_snapshots(owner, ids)
    jobs = [snapshot.job for snapshot in found.values() if query.wanted.holds(snapshot.job)]
    return Page(jobs, [each for each in ids if each not in found], None)


def _walk(owner: ProjectKey, query: BatchQuery) -> Page:
    after = Place.parse(cursors.decode_listed(owner.partition, _WALK, query.cursor)) if query.cursor else None
    snapshots, last = lister.read_page(owner, query.wanted, query.limit, after)
    cursor = cursors.encode_listed(owner.partition, _WALK, last.text) if last else None
    return Page([snapshot.job for snapshot in snapshots], [], cursor)


handler = lambda_handler(router)
