"""uvicorn's HTTP protocol over `h11`. Invalid requests cause no traceback in the log."""

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol


class HttpProtocol(H11Protocol):
    """The connection of one client."""

    def send_400_response(self, msg: str) -> None:
        """Refuse an invalid request, unless its response has begun, and close the connection.

        uvicorn would also send the 400 after a response, and let the application respond after the 400. In both cases
        `h11` raises an exception, which would be logged for every such request.
        """
        if self.cycle is not None:
            self.cycle.disconnected = True  # discard what the application still sends
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            super().send_400_response(msg)
        else:
            self.transport.close()
