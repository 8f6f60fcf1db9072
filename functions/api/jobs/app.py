"""`POST …/jobs` and `GET …/job/{jobId}`: a job is made, and looked at."""

import uuid
from typing import Annotated

from fastapi import Depends, Request, Response
from fastapi.concurrency import run_in_threadpool

from jobtrack import aws, times
from jobtrack.api import answer, caller, create_router, idempotency, job_key, lambda_handler, project_key
from jobtrack.errors import Fault, Unprocessable
from jobtrack.job import Job, Json
from jobtrack.keys import JobKey
from jobtrack.models import JobRequest
from jobtrack.settings import Settings
from jobtrack.store.idempotency import Idempotency, fingerprint
from jobtrack.store.jobs import JobStore
from jobtrack.store.queue import QueueReader
from jobtrack.store.relations import RelationStore
from jobtrack.store.snapshots import Snapshot
from jobtrack.views import job as view

settings = Settings.from_env()
dynamodb = aws.client("dynamodb")
jobs = JobStore(dynamodb, settings.jobs_table, settings.retention_days)
relations = RelationStore(dynamodb, settings.jobs_table)
queue = QueueReader(dynamodb, settings.jobs_table)
router = create_router()


@router.post("/jobs", status_code=201)
async def create_job(
    request: Request, wanted: JobRequest, key: Annotated[Idempotency | None, Depends(idempotency)]
) -> Response:
    """Queue a job, with all that it waits for."""
    fingerprint_of_body = fingerprint(await request.json())
    return await run_in_threadpool(_create, request, wanted, fingerprint_of_body, key)


def _create(request: Request, wanted: JobRequest, body: str, idempotent: Idempotency | None) -> Response:
    owner, now = project_key(request), times.now()
    key = JobKey(owner.tenant, owner.project, wanted.job_id or str(uuid.uuid4()))
    _require_prerequisites(key, wanted)
    job = wanted.job(key.job, caller(request).subject, now)
    expires = now // times.SECOND + settings.retention_days * 24 * 3600
    relations.put_edges(key, [each.job_id for each in wanted.prerequisites], expires)
    created = _answer(key, job, request)
    beside = list(relations.creation(key, wanted.relations(), expires))
    first = jobs.create(Snapshot(key, 0, job), body, created, idempotent, beside)
    location = {"Location": (first or created)["links"]["self"]}
    return answer(first or created, 201, location | ({"Idempotency-Replayed": "true"} if first else {}))


def _require_prerequisites(key: JobKey, wanted: JobRequest) -> None:
    missing = relations.missing(key, [each.job_id for each in wanted.prerequisites])
    faults = [
        Fault(f"/prerequisites/{index}/jobId", "is no job of this project")
        for index, each in enumerate(wanted.prerequisites)
        if each.job_id in missing
    ]
    if faults:
        raise Unprocessable(f"Of the prerequisites, {len(faults)} are no jobs of this project.", faults)


def _answer(key: JobKey, job: Job, request: Request) -> Json:
    base = request.url.path.removesuffix("/jobs") + f"/job/{key.job}"
    reads = ("progress", "logs", "timeline", "metrics", "dependencies", "events")
    return {
        "jobId": key.job,
        "jobName": job.name,
        "status": job.status,
        "queuePosition": queue.position(key, job),
        "createdAt": times.render(job.created_at),
        "subscriptions": [],
        "links": {"self": base, **{name: f"{base}/{name}" for name in reads}},
    }


@router.get("/job/{jobId}")
def get_job(request: Request) -> Response:
    """The job as it stands."""
    key = job_key(request)
    return answer(view.job(key, jobs.read(key, extras=True).job, times.now()))


handler = lambda_handler(router)
