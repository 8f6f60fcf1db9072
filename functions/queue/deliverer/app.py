"""Signs and posts the messages of the delivery queue; a wake has a WebSocket subscription streamed to."""

import logging
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TYPE_CHECKING, Any

from jobtrack import aws
from jobtrack.push.delivery.deliverer import Deliverer
from jobtrack.push.delivery.delivery_table import DeliveryTable
from jobtrack.push.delivery.endpoint_gate import Gate
from jobtrack.push.delivery.endpoint_table import HealthTable
from jobtrack.push.delivery.webhook_sender import WebhookSender
from jobtrack.push.dispatch.delivery_queue import DeliveryQueue
from jobtrack.push.egress.guarded_post import Egress
from jobtrack.push.subscriptions.endings import Endings
from jobtrack.push.subscriptions.secrets import Vault
from jobtrack.push.subscriptions.subscription_table import SubscriptionTable
from jobtrack.push.websockets.connection_table import ConnectionTable
from jobtrack.push.websockets.management_api import Sockets
from jobtrack.push.websockets.socket_sender import SocketSender
from jobtrack.push.websockets.wakes import Wake
from jobtrack.settings import Settings

if TYPE_CHECKING:
    from jobtrack.push.websockets.streamer import Streamer

logger = logging.getLogger(__name__)


def _assemble(settings: Settings) -> Deliverer:
    dynamodb = aws.client("dynamodb")
    subscriptions = SubscriptionTable(dynamodb, settings.subscriptions_table)
    sqs, slow_url = aws.later("sqs"), settings.slow_delivery_queue_url
    sockets = Sockets(aws.websockets(settings.websocket_endpoint))
    return Deliverer(
        subscriptions=subscriptions,
        endings=Endings(subscriptions, settings.jobs_table),
        deliveries=DeliveryTable(dynamodb, settings.deliveries_table),
        queue=DeliveryQueue(sqs, settings.delivery_queue_url, slow_url=slow_url),
        gate=Gate(HealthTable(dynamodb, settings.deliveries_table)),
        webhooks=WebhookSender(
            vault=Vault(aws.later("kms"), settings.secrets_key_id),
            egress=Egress(settings.allow_loopback_webhooks),
            ports=settings.allowed_webhook_ports,
            allow_loopback=settings.allow_loopback_webhooks,
        ),
        sockets=SocketSender(sockets, ConnectionTable(dynamodb, settings.subscriptions_table)),
    )


_settings = Settings.from_env()
_deliverer = _assemble(_settings)


@cache
def _streamer() -> "Streamer":
    """Streams through the clients and tables that the deliverer has; made by the first wake."""
    # Here, since a deliverer of webhooks needs nothing of what reads the journal.
    from jobtrack.push.websockets.backlog import Backlog
    from jobtrack.push.websockets.stream_leases import LeaseTable
    from jobtrack.push.websockets.streamer import Streamer

    dynamodb = _deliverer.subscriptions.dynamodb
    return Streamer(
        leases=LeaseTable(dynamodb, _settings.subscriptions_table),
        backlog=Backlog(dynamodb, _settings.jobs_table),
        deliveries=_deliverer.deliveries,
        queue=_deliverer.queue,
        sender=_deliverer.sockets,
    )


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Serve a batch of the queue, its messages side by side so that a slow receiver delays none of the others."""
    records = event["Records"]
    with ThreadPoolExecutor(max_workers=len(records)) as pool:
        done = list(pool.map(_done, records))
    failed = [record["messageId"] for record, served in zip(records, done, strict=True) if not served]
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}


def _done(record: dict[str, Any]) -> bool:
    try:
        if wake := Wake.decode(record["body"]):
            _streamer().serve(wake)
        else:
            _deliverer.deliver(record["body"])
    except Exception:
        logger.exception("message %s could not be handled", record["messageId"])
        return False
    return True
