"""`POST …/job/{jobId}/events`: a worker reports events of its job."""

from typing import Annotated

from fastapi import Depends, Request, Response

from jobtrack import aws, times
from jobtrack.api import create_router, idempotency, job_key, json_response, lambda_handler, run_blocking
from jobtrack.api.schemas.events import EventBatch
from jobtrack.settings import Settings
from jobtrack.store.idempotency import Idempotency
from jobtrack.store.jobs import JobStore

settings = Settings.from_env()
jobs = JobStore(aws.client("dynamodb"), settings.jobs_table, settings.retention_days)
router = create_router()


@router.post("/job/{jobId}/events", status_code=202)
async def report(
    request: Request, batch: EventBatch, key: Annotated[Idempotency | None, Depends(idempotency)]
) -> Response:
    """Store a batch of events in the given order, all or nothing."""
    events = batch.reported(await request.json(), arrival=times.now())
    accepted, replayed = await run_blocking(jobs.report, job_key(request), events, key)
    return json_response(accepted, 202, replayed=replayed)


handler = lambda_handler(router)
