"""What became of a subscription's messages, and another try by hand. Sees no secrets."""

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

settings = Settings.from_env()
dynamodb = aws.client("dynamodb")
changes = SubscriptionService(SubscriptionTable(dynamodb, settings.subscriptions_table), settings.jobs_table)
deliveries = DeliveryTable(dynamodb, settings.deliveries_table)
retries = Redelivery(changes, deliveries)
router = create_router()

_WALK = "deliveries"


@router.get("/subscription/{subscriptionId}/deliveries")
def list_deliveries(request: Request, query: Annotated[DeliveriesQuery, Query()]) -> Response:
    """What was pushed within the last week, newest first, with every attempt."""
    owner = project_key(request).partition
    name = changes.find(project_key(request), subscription_id(request)).subscription_id
    place = f"{owner}#{name}"
    before = query.cursor and cursors.decode_listed(place, _WALK, query.cursor, cursors.DELIVERY)
    found, last = deliveries.page(name, query.limit, before)
    cursor = last and cursors.encode_listed(place, _WALK, last)
    return json_response({"deliveries": [each.answer() for each in found], "nextCursor": cursor})


@router.post("/subscription/{subscriptionId}/deliveries/{messageId}/retry", status_code=202)
def retry_delivery(request: Request, key: Annotated[Idempotency | None, Depends(idempotency)]) -> Response:
    """Push the message again, under the same `webhook-id`, whatever became of it."""
    message_id = request.path_params["messageId"].lower()
    content, replayed = retries.retry(project_key(request), subscription_id(request), message_id, key)
    return json_response(content, 202, {"Idempotency-Replayed": "true"} if replayed else {})


handler = lambda_handler(router)
