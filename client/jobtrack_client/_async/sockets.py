"""What is pushed over one WebSocket connection; no new connections here."""

import json
from collections.abc import AsyncGenerator
from typing import Any

from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus, WebSocketException

from jobtrack_client._answers import refused_ticket
from jobtrack_client._exceptions import Unreachable


async def messages(url: str, since: int | None, timeout: float) -> AsyncGenerator[dict[str, Any]]:
    """Each message until the connection ends, those after the sequence `since` first.

    Raises:
        Unauthorized, Forbidden: the ticket was refused.
        Unreachable: it was not opened within `timeout` seconds, or was lost.
    """
    try:
        async with connect(url, open_timeout=timeout, close_timeout=timeout) as socket:
            if since is not None:
                await socket.send(json.dumps({"action": "resume", "sinceSequence": since}))
            async for message in socket:
                yield json.loads(message)
    except (OSError, TimeoutError, WebSocketException) as error:
        if isinstance(error, InvalidStatus) and (refusal := refused_ticket(error.response.status_code)):
            raise refusal from error
        # Not the URL: it holds a ticket.
        raise Unreachable(f"the WebSocket was not opened, or lost ({type(error).__name__}: {error})") from error
