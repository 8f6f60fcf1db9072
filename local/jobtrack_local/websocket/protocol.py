"""uvicorn's WebSocket over `websockets`, with API Gateway's limits, and a way to abort clients that do not read."""

from http import HTTPStatus
from typing import TYPE_CHECKING

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from jobtrack_local.websocket.limits import FRAME_BYTES

if TYPE_CHECKING:
    from uvicorn._types import ASGISendEvent

TRANSPORT = "transport"
"""The key in `scope["state"]` under which an application finds the connection's transport."""


class Protocol(WebSocketsSansIOProtocol):
    """The connection of one client."""

    def data_received(self, data: bytes) -> None:
        """Read data, and refuse a handshake that `websockets` cannot parse, to which uvicorn would not respond."""
        super().data_received(data)
        if self.conn.handshake_exc is not None and not self.handshake_initiated:
            self.handshake_initiated = self.handshake_complete = self.close_sent = True
            self._refuse()

    def _refuse(self) -> None:
        """Send the response of `websockets`, which exists only for a head that is too long, or a 400."""
        refusal = self.conn.reject(HTTPStatus.BAD_REQUEST, "This is not a WebSocket handshake.\n")
        self.transport.write(b"".join(self.conn.data_to_send()) or refusal.serialize())
        self.transport.close()

    async def run_asgi(self) -> None:
        """Run the application, which may abort the transport: closing it waits until the client has read the rest."""
        self.conn.max_fragment_size = FRAME_BYTES
        self.scope["state"][TRANSPORT] = self.transport
        await super().run_asgi()

    async def send(self, message: "ASGISendEvent") -> None:
        """Send; a refusal ends the handshake, about which uvicorn would otherwise complain."""
        await super().send(message)
        if message["type"] == "websocket.http.response.body":
            self.handshake_complete = True
