"""`resume` and `$default`: serves the messages of clients."""

from typing import Any

from jobtrack.push.websockets.connection_service import create_connection_service
from jobtrack.settings import Settings

_service = create_connection_service(Settings.from_env())


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Stream the events after a sequence again. The client gets a `refused` message for an invalid message."""
    _service.receive(event["requestContext"]["connectionId"], event.get("body"))
    return {"statusCode": 200}
