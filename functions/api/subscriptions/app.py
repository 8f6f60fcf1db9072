"""Subscriptions of a job: create, list, read, renew, test and end them; new secrets and tickets."""

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
from jobtrack.push.subscriptions.secrets import Vault
from jobtrack.push.subscriptions.subscription_creator import SubscriptionCreator
from jobtrack.push.subscriptions.subscription_ender import SubscriptionEnder
from jobtrack.push.subscriptions.subscription_factory import SubscriptionFactory
from jobtrack.push.subscriptions.subscription_service import SubscriptionService
from jobtrack.push.subscriptions.subscription_table import SubscriptionTable
from jobtrack.settings import Settings
from jobtrack.store.idempotency import Idempotency
from jobtrack.store.job_reader import JobReader
from jobtrack.store.job_subscriptions import ListenerStore
from jobtrack.views.responses.subscriptions import Subscriptions

settings = Settings.from_env()
dynamodb = aws.client("dynamodb")
jobs = JobReader(dynamodb, settings.jobs_table)
vault = Vault(aws.later("kms"), settings.secrets_key_id)
factory = SubscriptionFactory(
    vault, settings.allowed_webhook_ports, settings.allow_loopback_webhooks, settings.websocket_url
)
table = SubscriptionTable(dynamodb, settings.subscriptions_table)
creator = SubscriptionCreator(ListenerStore(dynamodb, settings.jobs_table), settings.subscriptions_table, factory)
subscriptions = SubscriptionService(table, settings.jobs_table)
ender = SubscriptionEnder(table, settings.jobs_table)
router = create_router()

IdempotencyKey = Annotated[Idempotency | None, Depends(idempotency)]


@router.post("/job/{jobId}/subscribe", status_code=201)
def subscribe(request: Request, body: SubscribeRequest, key: IdempotencyKey) -> Response:
    """Create a subscription: push the job's events to the receiver from now on."""
    content, replayed = creator.create_subscription(job_key(request), body.spec(), key, most_subscriptions(request))
    return json_response(content, 201, replayed=replayed)


@router.get("/job/{jobId}/subscriptions")
def list_subscriptions(request: Request, query: Annotated[SubscriptionsQuery, Query()]) -> Response:
    """Return a page of the job's subscriptions, including those that ended within the last week."""
    job = job_key(request)
    jobs.read_snapshot(job)  # raises NotFound for an unknown job, which has no subscriptions either
    page, cursor = cursors.read_page(
        f"{job.partition}/subscriptions",
        cursors.SUBSCRIPTIONS,
        query.cursor,
        lambda after: table.read_page(job, query.limit, after),
    )
    now = subscriptions.clock()
    content: Subscriptions = {
        "subscriptions": [subscription.response(now) for subscription in page],
        "nextCursor": cursor,
    }
    return json_response(content)


@router.get("/subscription/{subscriptionId}")
def get_subscription(request: Request) -> Response:
    """Return the current state of the subscription."""
    subscription = subscriptions.find(project_key(request), subscription_id(request))
    return json_response(subscription.response(subscriptions.clock()))


@router.delete("/subscription/{subscriptionId}", status_code=204)
def delete_subscription(request: Request) -> Response:
    """End the subscription and notify its receiver. A subscription that has already ended does not change."""
    subscription = subscriptions.find(project_key(request), subscription_id(request))
    ender.end(subscription.job, subscription.subscription_id, "deleted")
    return Response(status_code=204)


@router.post("/subscription/{subscriptionId}/renew")
def renew_subscription(request: Request, key: IdempotencyKey, body: RenewRequest | None = None) -> Response:
    """Extend a live subscription: it expires `expiresInSeconds` from now, by default in eight hours."""
    seconds = (body or RenewRequest()).expires_in_seconds
    content, replayed = subscriptions.renew(project_key(request), subscription_id(request), seconds, key)
    return json_response(content, replayed=replayed)


@router.post("/subscription/{subscriptionId}/rotate-secret")
def rotate_secret(request: Request, key: IdempotencyKey) -> Response:
    """Sign with a new secret from now on. The previous secret also signs for 24 hours."""
    owner = project_key(request)
    sealed, replayed = subscriptions.rotate_secret(owner, subscription_id(request), vault, key)
    return json_response(factory.reveal_signing_secret(owner, sealed), replayed=replayed)


@router.post("/subscription/{subscriptionId}/ticket")
def issue_ticket(request: Request, key: IdempotencyKey) -> Response:
    """Return a URL with which the receiver can connect once more, within a minute."""
    owner = project_key(request)
    sealed, replayed = subscriptions.issue_ticket(owner, subscription_id(request), vault, key)
    return json_response(factory.reveal_ticket(owner, sealed), replayed=replayed)


@router.post("/subscription/{subscriptionId}/test", status_code=202)
def test_subscription(request: Request, key: IdempotencyKey) -> Response:
    """Push a `ping` to the receiver."""
    content, replayed = subscriptions.ping(project_key(request), subscription_id(request), key)
    return json_response(content, 202, replayed=replayed)


handler = lambda_handler(router)
