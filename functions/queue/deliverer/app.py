"""Serves the delivery queue: delivers messages, and streams to WebSocket subscriptions after wakes."""

import logging
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TYPE_CHECKING, Any

from jobtrack import aws
from jobtrack.push.delivery.circuit_breaker import CircuitBreaker
from jobtrack.push.delivery.deliverer import Deliverer
from jobtrack.push.delivery.delivery_table import DeliveryTable
from jobtrack.push.delivery.endpoint_health_table import EndpointHealthTable
from jobtrack.push.delivery.webhook_sender import WebhookSender
from jobtrack.push.egress.guarded_post import Egress
from jobtrack.push.messages.delivery_queue import DeliveryQueue, decode
from jobtrack.push.messages.message import Message
from jobtrack.push.messages.wake import Wake
from jobtrack.push.subscriptions.secrets import Vault
from jobtrack.push.subscriptions.subscription_ender import SubscriptionEnder
from jobtrack.push.subscriptions.subscription_table import SubscriptionTable
from jobtrack.push.websockets.connection_table import ConnectionTable
from jobtrack.push.websockets.management_api import ManagementApi
from jobtrack.push.websockets.socket_sender import SocketSender
from jobtrack.settings import Settings
from jobtrack.transient_errors import passes

if TYPE_CHECKING:
    from jobtrack.push.websockets.streamer import Streamer

logger = logging.getLogger(__name__)

_settings = Settings.from_env()
_dynamodb = aws.client("dynamodb")
_subscriptions = SubscriptionTable(_dynamodb, _settings.subscriptions_table)
_deliveries = DeliveryTable(_dynamodb, _settings.deliveries_table)
_queue = DeliveryQueue(aws.later("sqs"), _settings.delivery_queue_url, slow_url=_settings.slow_delivery_queue_url)
_sockets = SocketSender(
    ManagementApi(aws.websockets(_settings.websocket_endpoint)),
    ConnectionTable(_dynamodb, _settings.subscriptions_table),
)
_deliverer = Deliverer(
    subscriptions=_subscriptions,
    ender=SubscriptionEnder(_subscriptions, _settings.jobs_table),
    deliveries=_deliveries,
    queue=_queue,
    breaker=CircuitBreaker(EndpointHealthTable(_dynamodb, _settings.deliveries_table)),
    webhooks=WebhookSender(
        vault=Vault(aws.later("kms"), _settings.secrets_key_id),
        egress=Egress(_settings.allow_loopback_webhooks),
        ports=_settings.allowed_webhook_ports,
        allow_loopback=_settings.allow_loopback_webhooks,
    ),
    sockets=_sockets,
)


@cache
def _streamer() -> "Streamer":
    """Return the streamer. It is created when the first wake arrives."""
    # Imported late, because the code that reads the journal would slow down the cold start of webhook deliveries.
    from jobtrack.push.websockets.backlog import Backlog
    from jobtrack.push.websockets.stream_leases import StreamLeaseTable
    from jobtrack.push.websockets.streamer import Streamer

    return Streamer(
        leases=StreamLeaseTable(_dynamodb, _settings.subscriptions_table),
        backlog=Backlog(_dynamodb, _settings.jobs_table),
        deliveries=_deliveries,
        queue=_queue,
        sender=_sockets,
    )


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Serve a batch of the queue. Each message has a thread, so that a slow receiver does not delay other messages."""
    records = event["Records"]
    with ThreadPoolExecutor(max_workers=len(records)) as pool:
        served = list(pool.map(_serve, records))
    failed = [record["messageId"] for record, is_served in zip(records, served, strict=True) if not is_served]
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}


def _serve(record: dict[str, Any]) -> bool:
    try:
        match decode(record["body"]):
            case Message() as message:
                _deliverer.deliver(message)
            case Wake() as wake:
                _streamer().serve(wake)
    except Exception as error:
        logger.error("message %s could not be served: %s", record["messageId"], error, exc_info=not passes(error))
        return False
    return True
