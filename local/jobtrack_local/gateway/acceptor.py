"""Accepts connections from the listening socket, up to a limit.

asyncio's own server logs a traceback for each of up to 2,048 failed `accept()` per second when file descriptors run out
(`_accept_connection` in asyncio/selector_events.py continues after a failure): megabytes of log.
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
    """Return the number of concurrent connections for a process with this many file descriptors.

    The other descriptors are for serving: each request may need connections to the engine.
    """
    return MOST if limit == resource.RLIM_INFINITY else min(MOST, max(FEWEST, limit // 4))


class Acceptor:
    """Replaces the `asyncio.Server` of a uvicorn server. Clients beyond the limit wait in the socket's backlog."""

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
        """Accept no further connections."""
        self._task.cancel()

    async def wait_closed(self) -> None:
        """Return once no further connections are accepted."""
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
                    self._complaint.warning("a connection was lost as it was made: %s", error)

    async def _room(self) -> None:
        """Wait until another connection is allowed; idle connections are closed for it."""
        while len(self._connections) >= self._most:
            self._complaint.warning("%d connections are open; further ones wait", len(self._connections))
            for connection in [each for each in self._connections if idle(each)]:
                connection.shutdown()
            await asyncio.sleep(ROOM_SECONDS)

    async def _accept(self) -> socket.socket | None:
        try:
            client, _ = await asyncio.get_running_loop().sock_accept(self._listener)
        except ConnectionAbortedError:
            return None
        except OSError as error:
            self._complaint.warning("cannot take a connection: %s", error)
            await asyncio.sleep(RETRY_SECONDS)
            return None
        return client
