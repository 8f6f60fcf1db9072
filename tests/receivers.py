"""Receivers on a loopback socket with scripted behaviour."""

import re
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from jobtrack.push.egress.guarded_post import Egress, Response
from jobtrack.push.egress.urls import WebhookUrl

HEAD = b"HTTP/1.1 200 OK\r\n"
PATIENCE_SECONDS = 30
"""How long a receiver continues, unless the peer closes the connection or the test ends."""

Behave = Callable[[socket.socket, threading.Event], None]


@contextmanager
def receiver(behave: Behave) -> Iterator[WebhookUrl]:
    """A receiver that accepts one request and then follows its script until the test ends."""
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(10)
        thread = threading.Thread(target=_serve, args=(listening, behave, over))
        thread.start()
        try:
            yield WebhookUrl(False, "127.0.0.1", listening.getsockname()[1], "/hook?x=1")
        finally:
            over.set()
            thread.join(10)
            assert not thread.is_alive()


def post(egress: Egress, url: WebhookUrl, headers: Mapping[str, str], body: bytes) -> Response:
    """Connect and post, as the deliverer does."""
    with egress.connect(url) as connection:
        return connection.post(headers, body)


def _serve(listening: socket.socket, behave: Behave, over: threading.Event) -> None:
    with suppress(OSError), listening.accept()[0] as connected:
        connected.settimeout(5)
        behave(connected, over)


def request_of(connected: socket.socket) -> bytes:
    """Read a whole request, by its Content-Length."""
    received = b""
    while (length := _length(received)) is None or len(received) < length:
        if not (part := connected.recv(65536)):
            break
        received += part
    return received


def _length(received: bytes) -> int | None:
    """Return the length of a request, once its headers are complete."""
    head, end, _ = received.partition(b"\r\n\r\n")
    found = re.search(rb"\r\ncontent-length: (\d+)", head, re.IGNORECASE)
    return len(head) + len(end) + int(found[1] if found else 0) if end else None


def answering(*parts: bytes) -> Behave:
    def behave(connected: socket.socket, over: threading.Event) -> None:
        request_of(connected)
        for part in parts:
            connected.sendall(part)

    return behave


def over_tls(server: Path, behave: Behave, asked: list[str | None] | None = None) -> Behave:
    """Run the same behind TLS, with the key and certificate of this file; `asked` gets the requested server names."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(server)
    if asked is not None:
        context.sni_callback = lambda connection, name, _: asked.append(name)

    def secured(connected: socket.socket, over: threading.Event) -> None:
        with context.wrap_socket(connected, server_side=True) as wrapped:
            behave(wrapped, over)

    return secured
