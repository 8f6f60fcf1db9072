"""uvicorn's WebSocket over `websockets`, with API Gateway's limits and a way to drop who does not read."""

from typing import TYPE_CHECKING

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from local.websocket.limits import FRAME_BYTES

if TYPE_CHECKING:
    from uvicorn._types import ASGISendEvent

TRANSPORT = "transport"
"""Where an application finds the connection's transport in `scope["state"]`."""


class Protocol(WebSocketsSansIOProtocol):
    """One client's connection."""

    async def run_asgi(self) -> None:
        """Run the application, which may abort the transport: closing it waits until the client has read the rest."""
        self.conn.max_fragment_size = FRAME_BYTES
        self.scope["state"][TRANSPORT] = self.transport
        await super().run_asgi()

    async def send(self, message: "ASGISendEvent") -> None:
        """Send; a refusal ends the handshake, though uvicorn would complain of one left open."""
        await super().send(message)
        if message["type"] == "websocket.http.response.body":
            self.handshake_complete = True
