"""`$connect`: accepts a client that has a ticket."""

from typing import Any

from jobtrack.errors import JobTrackError
from jobtrack.push.websockets.connection_service import create_connection_service
from jobtrack.settings import Settings

_service = create_connection_service(Settings.from_env())


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Return 200 to open the connection, 401 for a ticket that is not valid, 429 when the subscription is busy."""
    ticket = (event.get("queryStringParameters") or {}).get("ticket", "")
    try:
        _service.connect(ticket, event["requestContext"]["connectionId"])
    except JobTrackError as error:
        return {"statusCode": error.status}
    return {"statusCode": 200}
