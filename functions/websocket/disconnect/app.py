"""`$disconnect`: notes that a client has left. API Gateway does not promise to call it."""

from typing import Any

from jobtrack import aws
from jobtrack.push.websockets.connection_service import leave
from jobtrack.push.websockets.connection_table import ConnectionTable
from jobtrack.settings import Settings

_table = ConnectionTable(aws.client("dynamodb"), Settings.from_env().subscriptions_table)


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Forget the connection."""
    leave(_table, event["requestContext"]["connectionId"])
    return {"statusCode": 200}
