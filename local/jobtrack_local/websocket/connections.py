"""The open WebSocket connections. All of them are used in one event loop."""

import asyncio
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from starlette.websockets import WebSocketDisconnect, WebSocketState

from jobtrack import times
from jobtrack.times import Micros
from jobtrack_local.websocket.events import Peer
from jobtrack_local.websocket.limits import FAREWELL_SECONDS, IDLE_SECONDS, LIFETIME_SECONDS, POST_SECONDS
from jobtrack_local.websocket.protocol import TRANSPORT

if TYPE_CHECKING:
    from starlette.types import Message
    from starlette.websockets import WebSocket

NORMAL, GOING_AWAY = 1000, 1001


class Gone(Exception):
    """The connection has ended, or its client does not read."""


class Connection:
    """An open WebSocket. `monotonic` is in seconds."""

    def __init__(
        self,
        peer: Peer,
        socket: "WebSocket",
        clock: Callable[[], Micros] = times.now,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.peer = peer
        self.last_active_at = peer.connected_at
        self._socket = socket
        self._transport: asyncio.WriteTransport = socket.scope["state"][TRANSPORT]
        self._clock = clock
        self._monotonic = monotonic
        self._last = self._begun = monotonic()

    @property
    def seconds_left(self) -> float:
        """Seconds until the connection is closed if no message is sent."""
        return min(self._begun + LIFETIME_SECONDS, self._last + IDLE_SECONDS) - self._monotonic()

    async def receive(self) -> "Message | None":
        """Return the next message or disconnect, or None if the connection has expired."""
        while (seconds := self.seconds_left) > 0:
            try:
                async with asyncio.timeout(seconds):
                    message = await self._socket.receive()
            except TimeoutError:
                continue  # a post may have extended the time
            self._touch()
            return message
        return None

    async def post(self, data: bytes) -> None:
        """Send a message.

        Raises:
            Gone: the connection has ended, or the client has not read for too long.
        """
        try:
            async with asyncio.timeout(POST_SECONDS):
                await self._socket.send(_sent(data))
        except TimeoutError as error:
            self.drop()
            raise Gone from error
        except (WebSocketDisconnect, RuntimeError) as error:
            raise Gone from error
        self._touch()

    async def close(self, code: int, seconds: float = POST_SECONDS) -> None:
        """Close the connection; abort it if the client does not read."""
        if self._socket.application_state is not WebSocketState.CONNECTED:
            return
        try:
            async with asyncio.timeout(seconds):
                await self._socket.close(code)
        except TimeoutError:
            self.drop()
        except WebSocketDisconnect:
            pass

    def drop(self) -> None:
        """Abort the connection. What the client has not read is lost."""
        self._transport.abort()

    @property
    def ended(self) -> bool:
        """Whether the client has confirmed the close, or is gone."""
        return self._transport.is_closing()

    def _touch(self) -> None:
        self.last_active_at, self._last = self._clock(), self._monotonic()


class Connections:
    """The open connections, by their ids."""

    def __init__(self) -> None:
        self._open: dict[str, Connection] = {}

    def add(self, connection: Connection) -> None:
        """Make the connection available to the management API."""
        self._open[connection.peer.connection_id] = connection

    def remove(self, connection: Connection) -> None:
        """Remove the connection."""
        del self._open[connection.peer.connection_id]

    def get(self, connection_id: str) -> Connection:
        """Return the connection with this id.

        Raises:
            Gone: there is none.
        """
        if connection_id not in self._open:
            raise Gone
        return self._open[connection_id]

    async def close(self) -> None:
        """Close all connections, and abort those whose clients do not confirm in time."""
        leaving = list(self._open.values())
        deadline = time.monotonic() + FAREWELL_SECONDS
        await asyncio.gather(*(connection.close(GOING_AWAY, FAREWELL_SECONDS) for connection in leaving))
        while time.monotonic() < deadline and not all(connection.ended for connection in leaving):
            await asyncio.sleep(0.01)
        for connection in leaving:
            connection.drop()


def _sent(data: bytes) -> "Message":
    try:
        return {"type": "websocket.send", "text": data.decode()}
    except UnicodeDecodeError:
        return {"type": "websocket.send", "bytes": data}
