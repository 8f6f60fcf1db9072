"""uvicorn's HTTP over `h11`, with requests that cannot be read kept out of the log of errors."""

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol


class HttpProtocol(H11Protocol):
    """One client's connection."""

    def send_400_response(self, msg: str) -> None:
        """Refuse a request that cannot be read, unless its response has begun; end the connection.

        uvicorn itself sends a 400 after a response too, which `h11` refuses with an exception. And it lets the
        application send a response after the 400. Each would be a traceback in the log for every such request.
        """
        if self.cycle is not None:
            self.cycle.disconnected = True  # what the application still sends goes nowhere
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            super().send_400_response(msg)
        else:
            self.transport.close()
