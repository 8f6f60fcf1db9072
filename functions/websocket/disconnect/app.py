"""`$disconnect`: removes a closed connection. API Gateway does not guarantee to call it."""

from typing import Any

from jobtrack import aws
from jobtrack.push.websockets.connection_service import disconnect
from jobtrack.push.websockets.connection_table import ConnectionTable
from jobtrack.settings import Settings

_table = ConnectionTable(aws.client("dynamodb"), Settings.from_env().subscriptions_table)


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Remove the connection."""
    disconnect(_table, event["requestContext"]["connectionId"])
    return {"statusCode": 200}
