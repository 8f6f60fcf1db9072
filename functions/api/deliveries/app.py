"""The deliveries of a subscription's messages, and redelivery on request. This function cannot read secrets."""

from typing import Annotated

from fastapi import Depends, Query, Request, Response

from jobtrack import aws
from jobtrack.api import (
    create_router,
    cursors,
    idempotency,
    json_response,
    lambda_handler,
    project_key,
    subscription_id,
)
from jobtrack.api.schemas.push_queries import DeliveriesQuery
from jobtrack.push.delivery.delivery_table import DeliveryTable
from jobtrack.push.delivery.redelivery import Redelivery
from jobtrack.push.subscriptions.subscription_service import SubscriptionService
from jobtrack.push.subscriptions.subscription_table import SubscriptionTable
from jobtrack.settings import Settings
from jobtrack.store.idempotency import Idempotency
from jobtrack.views.responses.deliveries import Deliveries

settings = Settings.from_env()
dynamodb = aws.client("dynamodb")
subscriptions = SubscriptionService(SubscriptionTable(dynamodb, settings.subscriptions_table), settings.jobs_table)
deliveries = DeliveryTable(dynamodb, settings.deliveries_table)
redelivery = Redelivery(subscriptions, deliveries)
router = create_router()


@router.get("/subscription/{subscriptionId}/deliveries")
def list_deliveries(request: Request, query: Annotated[DeliveriesQuery, Query()]) -> Response:
    """Return a page of the messages of the last week with their attempts, newest first."""
    owner = project_key(request)
    subscription = subscriptions.find(owner, subscription_id(request))
    page, cursor = cursors.read_page(
        f"{owner.partition}#{subscription.subscription_id}/deliveries",
        cursors.DELIVERIES,
        query.cursor,
        lambda before: deliveries.read_page(subscription.subscription_id, query.limit, before),
    )
    content: Deliveries = {"deliveries": [delivery.response() for delivery in page], "nextCursor": cursor}
    return json_response(content)


@router.post("/subscription/{subscriptionId}/deliveries/{messageId}/retry", status_code=202)
def retry_delivery(request: Request, key: Annotated[Idempotency | None, Depends(idempotency)]) -> Response:
    """Push the message again, with the same `webhook-id`, whatever the state of its delivery."""
    message_id = request.path_params["messageId"].lower()
    content, replayed = redelivery.retry(project_key(request), subscription_id(request), message_id, key)
    return json_response(content, 202, replayed=replayed)


handler = lambda_handler(router)
