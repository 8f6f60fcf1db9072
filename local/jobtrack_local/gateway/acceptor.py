"""Accepts connections, up to a limit that depends on the available file descriptors.

Without this limit, when descriptors run out, asyncio's own server logs up to 2,048 tracebacks a second: its
`_accept_connection` (asyncio/selector_events.py) continues its loop after a failure.
"""

import asyncio
import logging
import resource
import socket
from collections.abc import Callable, Collection
from contextlib import suppress
from typing import TYPE_CHECKING

from jobtrack_local.gateway.deadlines import idle
from jobtrack_local.rate_limited_log import RateLimitedLog

if TYPE_CHECKING:
    from uvicorn.server import Protocols

log = logging.getLogger(__name__)

RETRY_SECONDS = 1.0
ROOM_SECONDS = 0.05
FEWEST, MOST = 8, 1000


def room(limit: int) -> int:
    """Return the connection limit of a process with this limit of file descriptors.

    The remaining descriptors are for connections to the engine, which requests need.
    """
    return MOST if limit == resource.RLIM_INFINITY else min(MOST, max(FEWEST, limit // 4))


class Acceptor:
    """Replaces the `asyncio.Server` of a uvicorn server. Above the limit, clients wait in the socket's backlog."""

    def __init__(
        self,
        listener: socket.socket,
        protocol: Callable[[], asyncio.Protocol],
        connections: "Collection[Protocols]",
        most: int | None = None,
    ) -> None:
        listener.setblocking(False)
        self._listener = listener
        self._protocol = protocol
        self._connections = connections
        self._most = most or room(resource.getrlimit(resource.RLIMIT_NOFILE)[0])
        self._complaint = RateLimitedLog(log)
        self._task = asyncio.get_running_loop().create_task(self._run())

    def close(self) -> None:
        """Accept no more connections."""
        self._task.cancel()

    async def wait_closed(self) -> None:
        """Wait until no more connections are accepted."""
        with suppress(asyncio.CancelledError):
            await self._task

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await self._room()
            if client := await self._accept():
                try:
                    await loop.connect_accepted_socket(self._protocol, client)
                except OSError as error:
                    client.close()
                    self._complaint.warning("a connection was lost while it was accepted: %s", error)

    async def _room(self) -> None:
        """Wait until another connection is allowed; idle connections are closed to make room."""
        while len(self._connections) >= self._most:
            self._complaint.warning("%d connections are open; new ones wait", len(self._connections))
            for connection in [each for each in self._connections if idle(each)]:
                connection.shutdown()
            await asyncio.sleep(ROOM_SECONDS)

    async def _accept(self) -> socket.socket | None:
        try:
            client, _ = await asyncio.get_running_loop().sock_accept(self._listener)
        except ConnectionAbortedError:
            return None
        except OSError as error:
            self._complaint.warning("cannot accept a connection: %s", error)
            await asyncio.sleep(RETRY_SECONDS)
            return None
        return client
