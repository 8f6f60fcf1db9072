"""`resume`, and `$default`: what a client sends over its connection."""

from typing import Any

from jobtrack import aws
from jobtrack.push.connection_table import ConnectionTable
from jobtrack.push.connections import Connections
from jobtrack.push.queue import DeliveryQueue
from jobtrack.push.sockets import Sockets
from jobtrack.push.subscription_table import SubscriptionTable
from jobtrack.settings import Settings

_settings = Settings.from_env()
_dynamodb = aws.client("dynamodb")
_connections = Connections(
    ConnectionTable(_dynamodb, _settings.subscriptions_table),
    SubscriptionTable(_dynamodb, _settings.subscriptions_table),
    _settings.jobs_table,
    DeliveryQueue(aws.client("sqs"), _settings.delivery_queue_url),
    Sockets(aws.websockets(_settings.websocket_endpoint)),
)


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Have the client told what it missed; what else it sends is answered on the connection."""
    _connections.receive(event["requestContext"]["connectionId"], event.get("body"))
    return {"statusCode": 200}
