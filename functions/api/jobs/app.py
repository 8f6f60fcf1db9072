"""`POST …/jobs`, `GET …/job/{jobId}` and `GET …/jobs`: create a job, read one, list the project's jobs."""

import uuid
from typing import Annotated

from fastapi import Depends, Query, Request, Response

from jobtrack import aws, times
from jobtrack.api import (
    caller,
    create_router,
    etag_headers,
    idempotency,
    job_key,
    json_response,
    lambda_handler,
    project_key,
    run_blocking,
)
from jobtrack.api.job_pages import JobPages
from jobtrack.api.schemas.jobs import JobRequest
from jobtrack.api.schemas.project_queries import JobsQuery
from jobtrack.job_creation import JobCreator, NewJob
from jobtrack.push.subscriptions.secrets import Vault
from jobtrack.push.subscriptions.subscription_factory import SubscriptionFactory
from jobtrack.settings import Settings
from jobtrack.store.idempotency import Idempotency, fingerprint
from jobtrack.store.job_lists import JobLister
from jobtrack.store.jobs import JobStore
from jobtrack.views import job as view
from jobtrack.views.responses.job import Jobs

settings = Settings.from_env()
dynamodb = aws.client("dynamodb")
jobs = JobStore(dynamodb, settings.jobs_table, settings.retention_days)
vault = Vault(aws.later("kms"), settings.secrets_key_id)
factory = SubscriptionFactory(
    vault, settings.allowed_webhook_ports, settings.allow_loopback_webhooks, settings.websocket_url
)
creator = JobCreator(jobs, settings.subscriptions_table, factory)
pages = JobPages(JobLister(dynamodb, settings.jobs_table))
router = create_router()


@router.post("/jobs", status_code=201)
async def create_job(
    request: Request, body: JobRequest, key: Annotated[Idempotency | None, Depends(idempotency)]
) -> Response:
    """Create a job in the queue, with its prerequisites and subscriptions."""
    fingerprint_of_body = fingerprint(await request.json())
    return await run_blocking(_create, request, body, fingerprint_of_body, key)


def _create(request: Request, body: JobRequest, fingerprint_of_body: str, key: Idempotency | None) -> Response:
    if body.subscriptions:
        caller(request).require_scope("subscriptions:write")
    owner = project_key(request)
    job = body.job(body.job_id or str(uuid.uuid4()), caller(request).subject, times.now())
    new_job = NewJob(
        key=owner.job_key(job.job_id),
        job=job,
        fingerprint=fingerprint_of_body,
        relations=body.relations(),
        subscriptions=[subscription.spec() for subscription in body.subscriptions],
        project_path=request.url.path.removesuffix("/jobs"),
    )
    content, replayed = creator.create_job(new_job, key)
    return json_response(content, 201, {"Location": content["links"]["self"]}, replayed=replayed)


@router.get("/job/{jobId}")
def get_job(request: Request) -> Response:
    """Return the current state of the job."""
    key = job_key(request)
    snapshot = jobs.read_snapshot(key)
    headers = etag_headers(request, snapshot.job)
    jobs.add_extras(snapshot)
    return json_response(view.job(key, snapshot.job, times.now()), headers=headers)


@router.get("/jobs")
def list_jobs(request: Request, query: Annotated[JobsQuery, Query()]) -> Response:
    """Return a page of the project's jobs, newest first.

    A page that would not fit into a response ends early.
    """
    page, cursor = pages.read_page(project_key(request), query)
    content: Jobs = {"jobs": page, "nextCursor": cursor}
    return json_response(content)


handler = lambda_handler(router)
