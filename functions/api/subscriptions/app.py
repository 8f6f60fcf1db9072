"""Subscriptions: made, shown, renewed, tested and ended."""

from typing import Annotated

from fastapi import Depends, Query, Request, Response

from jobtrack import aws
from jobtrack.api import (
    create_router,
    cursors,
    idempotency,
    job_key,
    json_response,
    lambda_handler,
    most_subscriptions,
    project_key,
    subscription_id,
)
from jobtrack.api.schemas.push_queries import SubscriptionsQuery
from jobtrack.api.schemas.subscriptions import RenewRequest, SubscribeRequest
from jobtrack.keys import JobKey
from jobtrack.push.subscriptions.endings import SubscriptionEnder
from jobtrack.push.subscriptions.secrets import Vault
from jobtrack.push.subscriptions.subscription_factory import SubscriptionFactory
from jobtrack.push.subscriptions.subscription_service import SubscriptionService
from jobtrack.push.subscriptions.subscription_table import SubscriptionTable
from jobtrack.settings import Settings
from jobtrack.store.idempotency import Idempotency
from jobtrack.store.listeners import ListenerStore
from jobtrack.store.snapshots import Listener, read_snapshot_item

settings = Settings.from_env()
dynamodb = aws.client("dynamodb")
listeners = ListenerStore(dynamodb, settings.jobs_table)
vault = Vault(aws.later("kms"), settings.secrets_key_id)
subscriber = SubscriptionFactory(
    vault, settings.allowed_webhook_ports, settings.allow_loopback_webhooks, settings.websocket_url
)
subscriptions = SubscriptionTable(dynamodb, settings.subscriptions_table)
changes = SubscriptionService(subscriptions, settings.jobs_table)
endings = SubscriptionEnder(subscriptions, settings.jobs_table)
router = create_router()

_WALK = "subscriptions"
IdempotencyKey = Annotated[Idempotency | None, Depends(idempotency)]


@router.post("/job/{jobId}/subscribe", status_code=201)
def subscribe(request: Request, wanted: SubscribeRequest, key: IdempotencyKey) -> Response:
    """Push the job's events to the receiver from now on."""
    job, most = job_key(request), most_subscriptions(request)
    made = subscriber.make(job, wanted)
    kept, one = subscriber.kept(made), made.subscription
    first = listeners.add_listener(
        job,
        one.subscription_id,
        Listener(one.expires_at, one.interests()),
        lambda last: made.creation(settings.subscriptions_table, last),
        kept,
        key,
        made.replayed_since,
        most,
    )
    return json_response(subscriber.revealed(job, first or kept), 201, _replayed(first is not None))


@router.get("/job/{jobId}/subscriptions")
def list_subscriptions(request: Request, query: Annotated[SubscriptionsQuery, Query()]) -> Response:
    """Who is told of the job's events, or was within the last week."""
    job = job_key(request)
    read_snapshot_item(dynamodb, settings.jobs_table, job)
    after = query.cursor and cursors.decode_listed(job.partition, _WALK, query.cursor, cursors.SUBSCRIPTION)
    found, last = subscriptions.page(job, query.limit, after)
    cursor = last and cursors.encode_listed(job.partition, _WALK, last)
    now = changes.clock()
    return json_response({"subscriptions": [each.answer(now) for each in found], "nextCursor": cursor})


@router.get("/subscription/{subscriptionId}")
def get_subscription(request: Request) -> Response:
    """The subscription as it stands."""
    found = changes.find(project_key(request), subscription_id(request))
    return json_response(found.answer(changes.clock()))


@router.delete("/subscription/{subscriptionId}", status_code=204)
def delete_subscription(request: Request) -> Response:
    """End the subscription; its receiver is told. One that has ended already stays as it ended."""
    found = changes.find(project_key(request), subscription_id(request))
    endings.end(found.job, found.subscription_id, "deleted")
    return Response(status_code=204)


@router.post("/subscription/{subscriptionId}/renew")
def renew_subscription(request: Request, key: IdempotencyKey, wanted: RenewRequest | None = None) -> Response:
    """Let a live subscription live for so long from now on, eight hours unless told otherwise."""
    seconds = (wanted or RenewRequest()).expires_in_seconds
    content, replayed = changes.renew(project_key(request), subscription_id(request), seconds, key)
    return json_response(content, headers=_replayed(replayed))


@router.post("/subscription/{subscriptionId}/rotate-secret")
def rotate_secret(request: Request, key: IdempotencyKey) -> Response:
    """Sign with a new secret from now on, and for 24 hours with the one before too."""
    owner = project_key(request)
    kept, replayed = changes.rotate(owner, subscription_id(request), vault, key)
    revealed = subscriber.revealed(JobKey(owner.tenant, owner.project, kept["jobId"]), kept)
    return json_response({"signingSecret": revealed["signingSecret"]}, headers=_replayed(replayed))


@router.post("/subscription/{subscriptionId}/ticket")
def issue_ticket(request: Request, key: IdempotencyKey) -> Response:
    """Let the receiver connect once more, within a minute."""
    owner = project_key(request)
    kept, replayed = changes.ticket(owner, subscription_id(request), vault, key)
    revealed = subscriber.revealed(JobKey(owner.tenant, owner.project, kept["jobId"]), kept)
    return json_response({"websocketUrl": revealed["websocketUrl"]}, headers=_replayed(replayed))


@router.post("/subscription/{subscriptionId}/test", status_code=202)
def test_subscription(request: Request, key: IdempotencyKey) -> Response:
    """Push a `ping` to the receiver."""
    content, replayed = changes.ping(project_key(request), subscription_id(request), key)
    return json_response(content, 202, _replayed(replayed))


def _replayed(replayed: bool) -> dict[str, str]:
    return {"Idempotency-Replayed": "true"} if replayed else {}


handler = lambda_handler(router)
