"""`POST …/jobs`, `GET …/job/{jobId}` and `GET …/jobs`: a job is made, looked at, and listed."""

import uuid
from collections.abc import Callable, Sequence
from typing import Annotated

from fastapi import Depends, Query, Request, Response
from fastapi.concurrency import run_in_threadpool

from jobtrack import aws, times
from jobtrack.api import (
    answer,
    caller,
    create_router,
    cursors,
    idempotency,
    job_key,
    lambda_handler,
    project_key,
    unless_known,
)
from jobtrack.api.schemas.jobs import JobRequest
from jobtrack.api.schemas.project_queries import JobsQuery
from jobtrack.domain.job import Job, Json
from jobtrack.errors import Fault, JobTrackError, Unprocessable
from jobtrack.keys import JobKey
from jobtrack.push.subscriptions.secrets import Vault
from jobtrack.push.subscriptions.subscription_factory import NewSubscription, SubscriptionFactory
from jobtrack.settings import Settings
from jobtrack.store.batch_items import delete_all, put_all
from jobtrack.store.dependencies import DependencyStore
from jobtrack.store.idempotency import Idempotency, fingerprint
from jobtrack.store.job_lists import JobLister
from jobtrack.store.job_queue import QueueReader
from jobtrack.store.jobs import JobStore
from jobtrack.store.snapshots import Listener, Snapshot
from jobtrack.store.status_index import Place
from jobtrack.views import job as view
from jobtrack.views.jobs import fitting

settings = Settings.from_env()
dynamodb = aws.client("dynamodb")
jobs = JobStore(dynamodb, settings.jobs_table, settings.retention_days)
relations = DependencyStore(dynamodb, settings.jobs_table)
vault = Vault(aws.later("kms"), settings.secrets_key_id)
subscriber = SubscriptionFactory(
    vault, settings.allowed_webhook_ports, settings.allow_loopback_webhooks, settings.websocket_url
)
queue = QueueReader(dynamodb, settings.jobs_table)
lister = JobLister(dynamodb, settings.jobs_table)
router = create_router()

_WALK = "jobs"


@router.post("/jobs", status_code=201)
async def create_job(
    request: Request, wanted: JobRequest, key: Annotated[Idempotency | None, Depends(idempotency)]
) -> Response:
    """Queue a job, with all that it waits for."""
    fingerprint_of_body = fingerprint(await request.json())
    return await run_in_threadpool(_create, request, wanted, fingerprint_of_body, key)


def _create(request: Request, wanted: JobRequest, body: str, idempotent: Idempotency | None) -> Response:
    if wanted.subscriptions:
        caller(request).require_scope("subscriptions:write")
    owner, now = project_key(request), times.now()
    key = JobKey(owner.tenant, owner.project, wanted.job_id or str(uuid.uuid4()))
    _require_prerequisites(key, wanted)
    made = [subscriber.make(key, each, f"/subscriptions/{index}") for index, each in enumerate(wanted.subscriptions)]
    snapshot = Snapshot(key, 0, wanted.job(key.job, caller(request).subject, now), listeners=_listeners(made))
    kept = _answer(key, snapshot.job, request.url.path.removesuffix("/jobs"), made)
    expires = jobs.retention.beside(now // times.SECOND)
    beside = list(relations.creation_actions(key, wanted.relations(), expires))

    def ahead() -> None:
        """Write what the job's transaction has no room for: it belongs to nobody until the job is made."""
        relations.put_edges(key, [each.job_id for each in wanted.prerequisites], expires)
        _put_subscriptions(made)

    first = _first(lambda: jobs.create(snapshot, body, kept, idempotent, beside, ahead), made)
    headers = {"Location": (first or kept)["links"]["self"]} | ({"Idempotency-Replayed": "true"} if first else {})
    return answer(_revealed(key, first or kept), 201, headers)


def _first(create: Callable[[], Json | None], made: Sequence[NewSubscription]) -> Json | None:
    """What `create` answers; subscriptions of a job that was made before, or is not made, are taken away again."""
    try:
        first = create()
    except JobTrackError:
        _withdraw(made)
        raise
    if first:
        told = {each["subscriptionId"] for each in first["subscriptions"]}
        _withdraw([each for each in made if each.subscription.subscription_id not in told])
    return first


def _put_subscriptions(made: Sequence[NewSubscription]) -> None:
    """Put all of them or, if that fails, none."""
    try:
        put_all(dynamodb, settings.subscriptions_table, [item for each in made for item in each.items(0)])
    except Exception:
        _withdraw(made)
        raise


def _withdraw(made: Sequence[NewSubscription]) -> None:
    keys = [{name: item[name] for name in ("pk", "sk")} for each in made for item in each.items(0)]
    delete_all(dynamodb, settings.subscriptions_table, keys)


def _listeners(made: Sequence[NewSubscription]) -> dict[str, Listener]:
    subscriptions = [each.subscription for each in made]
    return {each.subscription_id: Listener(each.expires_at, each.interests()) for each in subscriptions}


def _require_prerequisites(key: JobKey, wanted: JobRequest) -> None:
    missing = relations.find_missing(key, [each.job_id for each in wanted.prerequisites])
    faults = [
        Fault(f"/prerequisites/{index}/jobId", "is no job of this project")
        for index, each in enumerate(wanted.prerequisites)
        if each.job_id in missing
    ]
    if faults:
        raise Unprocessable(f"Of the prerequisites, {len(faults)} are no jobs of this project.", faults)


def _answer(key: JobKey, job: Job, base: str, made: Sequence[NewSubscription]) -> Json:
    """The answer as it may be stored: the subscriptions' secrets sealed."""
    reads = ("progress", "logs", "timeline", "metrics", "dependencies", "events")
    place = f"{base}/job/{key.job}"
    return {
        "jobId": key.job,
        "jobName": job.name,
        "status": job.status,
        "queuePosition": queue.read_position(key, job),
        "createdAt": times.render(job.created_at),
        "subscriptions": [subscriber.kept(each) for each in made],
        "links": {"self": place, **{name: f"{place}/{name}" for name in reads}},
    }


def _revealed(key: JobKey, kept: Json) -> Json:
    """The answer as it goes out; a repeated request may have named no job id, so its first answer does."""
    job = JobKey(key.tenant, key.project, kept["jobId"])
    return {**kept, "subscriptions": [subscriber.revealed(job, each) for each in kept["subscriptions"]]}


@router.get("/job/{jobId}")
def get_job(request: Request) -> Response:
    """The job as it stands."""
    key = job_key(request)
    snapshot = jobs.read_snapshot(key)
    headers = unless_known(request, snapshot.job)
    jobs.add_extras(snapshot)
    return answer(view.job(key, snapshot.job, times.now()), headers=headers)


@router.get("/jobs")
def list_jobs(request: Request, query: Annotated[JobsQuery, Query()]) -> Response:
    """The project's jobs, newest first; an answer that would grow too large ends early."""
    owner, now = project_key(request), times.now()
    after = Place.parse(cursors.decode_listed(owner.partition, _WALK, query.cursor)) if query.cursor else None
    snapshots, last = lister.read_page(owner, query.wanted, query.limit, after)
    lister.add_metadata(snapshots)
    shown = fitting(view.job(each.key, each.job, now) for each in snapshots)
    if len(shown) < len(snapshots):
        cut = snapshots[len(shown) - 1].job
        last = Place(cut.created_at, cut.job_id)
    cursor = cursors.encode_listed(owner.partition, _WALK, last.text) if last else None
    return answer({"jobs": shown, "nextCursor": cursor})


handler = lambda_handler(router)
