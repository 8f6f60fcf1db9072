"""`POST …/jobs`, `GET …/job/{jobId}` and `GET …/jobs`: a job is made, looked at, and listed."""

import uuid
from typing import Annotated

from fastapi import Depends, Query, Request, Response
from fastapi.concurrency import run_in_threadpool

from jobtrack import aws, times
from jobtrack.api import (
    caller,
    create_router,
    cursors,
    idempotency,
    job_key,
    json_response,
    lambda_handler,
    project_key,
    unless_known,
)
from jobtrack.api.schemas.jobs import JobRequest
from jobtrack.api.schemas.project_queries import JobsQuery
from jobtrack.job_creation import JobCreator, NewJob
from jobtrack.keys import JobKey
from jobtrack.push.subscriptions.secrets import Vault
from jobtrack.push.subscriptions.subscription_factory import SubscriptionFactory
from jobtrack.settings import Settings
from jobtrack.store.idempotency import Idempotency, fingerprint
from jobtrack.store.job_lists import JobLister
from jobtrack.store.jobs import JobStore
from jobtrack.store.status_index import Place
from jobtrack.views import job as view
from jobtrack.views.page_size import take_fitting

settings = Settings.from_env()
dynamodb = aws.client("dynamodb")
jobs = JobStore(dynamodb, settings.jobs_table, settings.retention_days)
vault = Vault(aws.later("kms"), settings.secrets_key_id)
subscriber = SubscriptionFactory(
    vault, settings.allowed_webhook_ports, settings.allow_loopback_webhooks, settings.websocket_url
)
creator = JobCreator(jobs, settings.subscriptions_table, subscriber)
lister = JobLister(dynamodb, settings.jobs_table)
router = create_router()

_WALK = "jobs"


@router.post("/jobs", status_code=201)
async def create_job(
    request: Request, body: JobRequest, key: Annotated[Idempotency | None, Depends(idempotency)]
) -> Response:
    """Queue a job, with all that it waits for."""
    fingerprint_of_body = fingerprint(await request.json())
    return await run_in_threadpool(_create, request, body, fingerprint_of_body, key)


def _create(request: Request, body: JobRequest, fingerprint_of_body: str, key: Idempotency | None) -> Response:
    if body.subscriptions:
        caller(request).require_scope("subscriptions:write")
    owner = project_key(request)
    job = body.job(body.job_id or str(uuid.uuid4()), caller(request).subject, times.now())
    new_job = NewJob(
        key=JobKey(owner.tenant, owner.project, job.job_id),
        job=job,
        fingerprint=fingerprint_of_body,
        relations=body.relations(),
        subscriptions=body.subscriptions,
        project_path=request.url.path.removesuffix("/jobs"),
    )
    content, replayed = creator.create_job(new_job, key)
    headers = {"Location": content["links"]["self"]} | ({"Idempotency-Replayed": "true"} if replayed else {})
    return json_response(content, 201, headers)


@router.get("/job/{jobId}")
def get_job(request: Request) -> Response:
    """The job as it stands."""
    key = job_key(request)
    snapshot = jobs.read_snapshot(key)
    headers = unless_known(request, snapshot.job)
    jobs.add_extras(snapshot)
    return json_response(view.job(key, snapshot.job, times.now()), headers=headers)


@router.get("/jobs")
def list_jobs(request: Request, query: Annotated[JobsQuery, Query()]) -> Response:
    """The project's jobs, newest first; an answer that would grow too large ends early."""
    owner, now = project_key(request), times.now()
    after = Place.parse(cursors.decode_listed(owner.partition, _WALK, query.cursor)) if query.cursor else None
    snapshots, last = lister.read_page(owner, query.wanted, query.limit, after)
    lister.add_metadata(snapshots)
    shown = take_fitting(view.job(each.key, each.job, now) for each in snapshots)
    if len(shown) < len(snapshots):
        cut = snapshots[len(shown) - 1].job
        last = Place(cut.created_at, cut.job_id)
    cursor = cursors.encode_listed(owner.partition, _WALK, last.text) if last else None
    return json_response({"jobs": shown, "nextCursor": cursor})


handler = lambda_handler(router)
