"""uvicorn's HTTP over `h11`, without error logs for malformed requests."""

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol


class HttpProtocol(H11Protocol):
    """The connection of one client."""

    def send_400_response(self, msg: str) -> None:
        """Refuse a malformed request unless its response has begun, and end the connection.

        uvicorn itself sends a 400 even after a response, which `h11` refuses with an exception, and it lets the
        application respond after the 400. Each would be a traceback in the log for every such request.
        """
        if self.cycle is not None:
            self.cycle.disconnected = True  # anything that the application still sends is discarded
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            super().send_400_response(msg)
        else:
            self.transport.close()
