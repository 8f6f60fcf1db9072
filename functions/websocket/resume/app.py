"""`resume`, and `$default`: what a client sends over its connection."""

from typing import Any

from jobtrack.push.websockets.connection_service import assembled
from jobtrack.settings import Settings

_connections = assembled(Settings.from_env())


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Have the client told what it missed; what else it sends is answered on the connection."""
    _connections.receive(event["requestContext"]["connectionId"], event.get("body"))
    return {"statusCode": 200}
