"""uvicorn's HTTP protocol over `httptools`, with the checks and the limit that its parser lacks.

Invalid requests cause no traceback in the log. `httptools` parses with llhttp, which limits neither the size of a
request's head nor that of its trailers: https://github.com/nodejs/llhttp
"""

from typing import TYPE_CHECKING

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from uvicorn._types import ASGI3Application
    from uvicorn.config import Config
    from uvicorn.protocols.http.httptools_impl import RequestResponseCycle
    from uvicorn.server import ServerState

HEAD_BYTES = 64 * 1024
"""Bytes of a request between two parts of its body: its head, a chunk's extensions, or its trailers.

The end of what was received together with the part before is not counted.
"""
INVALID = "Invalid HTTP request received."


class InvalidHead(Exception):
    """The head of a request is well-formed but not allowed; the parser stops, and the client gets a 400."""


class HttpProtocol(HttpToolsProtocol):
    """The connection of one client."""

    def __init__(self, config: "Config", server_state: "ServerState", app_state: dict[str, object]) -> None:
        super().__init__(config, server_state, app_state)
        self.receives_head = False
        self.receives_body = False
        self.responding: RequestResponseCycle | None = None
        """The request to which the application responds, or responded last."""
        self._unused_bytes = 0

    @property
    def responds(self) -> bool:
        """Whether a response is not complete."""
        return self.responding is not None and not self.responding.response_complete

    @property
    def may_refuse(self) -> bool:
        """Whether the next bytes that the client expects are the start of a response."""
        if self.responding is None:
            return True
        return not (self.responding.response_started if self.responds else self.receives_body)

    def data_received(self, data: bytes) -> None:
        """Process data. Refuse a head or trailers that are too long."""
        self._unused_bytes += len(data)
        super().data_received(data)
        if self._unused_bytes > HEAD_BYTES and not self.transport.is_closing():
            self.send_400_response(INVALID)

    def on_message_begin(self) -> None:
        """Begin a request."""
        self.receives_head = True
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Add a header; trailers are ignored, as RFC 9110 (6.5.1) allows."""
        if self.receives_head:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Start the request, if its head is allowed."""
        self.receives_head, self.receives_body, self._unused_bytes = False, True, 0
        _check_head(self.headers, self.parser.get_http_version())
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Add a part of the body."""
        self._unused_bytes = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """End the request."""
        self.receives_body, self._unused_bytes = False, 0
        super().on_message_complete()

    def _start_asgi_task(self, cycle: "RequestResponseCycle", app: "ASGI3Application") -> None:
        self.responding = cycle
        super()._start_asgi_task(cycle, app)

    def send_400_response(self, msg: str) -> None:
        """Refuse an invalid request, unless its response has begun, and close the connection."""
        if self.may_refuse and not self.transport.is_closing():
            self.discard_response()
            super().send_400_response(msg)
        else:
            self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """End the requests. If a client sent several without waiting, uvicorn does not end the first."""
        self.discard_response()
        super().connection_lost(exc)

    def discard_response(self) -> None:
        """Discard the rest of the response, and the requests that wait behind it."""
        self.pipeline.clear()
        if self.responding is not None and self.responds:
            self.responding.disconnected = True
            self.responding.message_event.set()


def _check_head(headers: "Sequence[tuple[bytes, bytes]]", version: str) -> None:
    """Refuse a head without the one `Host` header (RFC 9112, 3.2), or with an unknown transfer coding (6.1)."""
    hosts = sum(name == b"host" for name, _ in headers)
    if hosts > 1 or (not hosts and version == "1.1"):
        raise InvalidHead
    if any(name == b"transfer-encoding" and value.lower() != b"chunked" for name, value in headers):
        raise InvalidHead
