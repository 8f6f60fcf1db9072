"""uvicorn's WebSocket over `websockets`, with API Gateway's limits and a way to drop a client that does not read."""

from http import HTTPStatus
from typing import TYPE_CHECKING

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from jobtrack_local.websocket.limits import FRAME_BYTES

if TYPE_CHECKING:
    from uvicorn._types import ASGISendEvent

TRANSPORT = "transport"
"""Where an application finds the connection's transport in `scope["state"]`."""


class Protocol(WebSocketsSansIOProtocol):
    """One client's connection."""

    def data_received(self, data: bytes) -> None:
        """Read, and refuse a handshake that `websockets` cannot read, which uvicorn would leave without a response."""
        super().data_received(data)
        if self.conn.handshake_exc is not None and not self.handshake_initiated:
            self.handshake_initiated = self.handshake_complete = self.close_sent = True
            self._refuse()

    def _refuse(self) -> None:
        """Send the response of `websockets`, which it has for too long a head only, or else a 400."""
        refusal = self.conn.reject(HTTPStatus.BAD_REQUEST, "This is not a WebSocket handshake.\n")
        self.transport.write(b"".join(self.conn.data_to_send()) or refusal.serialize())
        self.transport.close()

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
