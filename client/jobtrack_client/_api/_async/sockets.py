"""Reads messages from one WebSocket connection, without reconnecting."""

import json
import logging
from collections.abc import AsyncGenerator
from typing import Any

from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus, WebSocketException

from jobtrack_client._api import network
from jobtrack_client._api.responses import refused_ticket
from jobtrack_client._exceptions import Unreachable

_SILENT = logging.Logger("jobtrack_client.websockets")
"""The library reports through exceptions. Its log lines would only disturb the program's log."""
_SILENT.disabled = True


async def messages(url: str, since: int | None, timeout: float) -> AsyncGenerator[dict[str, Any]]:
    """Iterate over the messages of a connection, beginning with those after the sequence `since`.

    Raises:
        Unauthorized, Forbidden: the service refused the ticket.
        ConfigurationError: the proxy that the environment names cannot be used.
        Unreachable: the connection was not opened within `timeout` seconds, or was lost.
    """
    proxy = network.proxy(url, socks="python_socks")
    proxy_url = None if proxy is None else proxy.url
    try:
        async with connect(url, open_timeout=timeout, close_timeout=timeout, proxy=proxy_url, logger=_SILENT) as socket:
            if since is not None:
                await socket.send(json.dumps({"action": "resume", "sinceSequence": since}))
            async for message in socket:
                yield json.loads(message)
    except (OSError, TimeoutError, WebSocketException) as error:
        if isinstance(error, InvalidStatus) and (refusal := refused_ticket(error.response.status_code)):
            raise refusal from error
        # The message must not contain the URL, which holds a ticket.
        through = "" if proxy is None else f" through {proxy}"
        raise Unreachable(
            f"the WebSocket{through} was not opened, or lost ({type(error).__name__}: {error})"
        ) from error
