"""uvicorn's WebSocket protocol over `websockets`, with API Gateway's limits and a way to abort connections."""

from http import HTTPStatus
from typing import TYPE_CHECKING

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from jobtrack_local.websocket.limits import FRAME_BYTES

if TYPE_CHECKING:
    from uvicorn._types import ASGISendEvent

TRANSPORT = "transport"
"""The key of the connection's transport in `scope["state"]`."""


class Protocol(WebSocketsSansIOProtocol):
    """The connection of one client."""

    def data_received(self, data: bytes) -> None:
        """Process data. Refuse an invalid handshake, to which uvicorn would not respond."""
        super().data_received(data)
        if self.conn.handshake_exc is not None and not self.handshake_initiated:
            self.handshake_initiated = self.handshake_complete = self.close_sent = True
            self._refuse()

    def _refuse(self) -> None:
        """Send a 400, or the response of `websockets` if it has one (only if the head is too long)."""
        refusal = self.conn.reject(HTTPStatus.BAD_REQUEST, "This is not a WebSocket handshake.\n")
        self.transport.write(b"".join(self.conn.data_to_send()) or refusal.serialize())
        self.transport.close()

    async def run_asgi(self) -> None:
        """Run the application with the transport, so that it can abort the connection.

        Closing would wait for the client.
        """
        self.conn.max_fragment_size = FRAME_BYTES
        self.scope["state"][TRANSPORT] = self.transport
        await super().run_asgi()

    async def send(self, message: "ASGISendEvent") -> None:
        """Send a message. A refusal completes the handshake; otherwise uvicorn would log that it was left open."""
        await super().send(message)
        if message["type"] == "websocket.http.response.body":
            self.handshake_complete = True
