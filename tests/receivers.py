"""Receivers on a loopback socket that behave as a test tells them."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from jobtrack.push.urls import Target

HEAD = b"HTTP/1.1 200 OK\r\n"

Behave = Callable[[socket.socket, threading.Event], None]


@contextmanager
def receiver(behave: Behave) -> Iterator[Target]:
    """A receiver that takes one request and then behaves as told, until the test is over."""
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(10)
        thread = threading.Thread(target=_serve, args=(listening, behave, over))
        thread.start()
        try:
            yield Target(False, "127.0.0.1", listening.getsockname()[1], "/hook?x=1")
        finally:
            over.set()
            thread.join(10)
            assert not thread.is_alive()


def _serve(listening: socket.socket, behave: Behave, over: threading.Event) -> None:
    with suppress(OSError), listening.accept()[0] as connected:
        connected.settimeout(5)
        behave(connected, over)


def request_of(connected: socket.socket) -> bytes:
    received = b""
    while b"\r\n\r\n" not in received or not received.endswith(b"{}"):
        received += connected.recv(65536)
    return received


def answering(*parts: bytes) -> Behave:
    def behave(connected: socket.socket, over: threading.Event) -> None:
        request_of(connected)
        for part in parts:
            connected.sendall(part)

    return behave
