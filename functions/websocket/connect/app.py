"""`$connect`: lets in who shows a ticket."""

from typing import Any

from jobtrack.errors import JobTrackError
from jobtrack.push.websockets.connection_service import assembled
from jobtrack.settings import Settings

_connections = assembled(Settings.from_env())


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Answer 200, with which API Gateway opens the connection; 401 whatever is wrong with the ticket; 429 when busy."""
    shown = (event.get("queryStringParameters") or {}).get("ticket", "")
    try:
        _connections.connect(shown, event["requestContext"]["connectionId"])
    except JobTrackError as error:
        return {"statusCode": error.status}
    return {"statusCode": 200}
