"""`$connect`: lets in who shows a ticket."""

from typing import Any

from jobtrack import aws
from jobtrack.errors import JobTrackError
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
    """Answer 200, with which API Gateway opens the connection, or 401: alike, whatever is wrong with the ticket."""
    shown = (event.get("queryStringParameters") or {}).get("ticket", "")
    try:
        _connections.connect(shown, event["requestContext"]["connectionId"])
    except JobTrackError as error:
        return {"statusCode": error.status}
    return {"statusCode": 200}
