"""Webhook receivers that misbehave for as long as the caller lets them."""

import itertools
import socket
import ssl
import struct
import threading
import zlib
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from tests.receivers import HEAD, PATIENCE_SECONDS, Behave, request_of

DRIP_SECONDS = 1.0
GIGABYTE = 10**9
BOMB_MIB = 300


def hang_before_reading(connected: socket.socket, over: threading.Event) -> None:
    over.wait(PATIENCE_SECONDS)


def hang_after_the_request(connected: socket.socket, over: threading.Event) -> None:
    request_of(connected)
    over.wait(PATIENCE_SECONDS)


def drip_the_headers(connected: socket.socket, over: threading.Event) -> None:
    request_of(connected)
    _drip(connected, over, itertools.chain(HEAD + b"X: ", itertools.repeat(120)))


def drip_the_body(connected: socket.socket, over: threading.Event) -> None:
    request_of(connected)
    connected.sendall(HEAD + b"Content-Length: 1000\r\n\r\n")
    _drip(connected, over, itertools.repeat(120))


def drip_100_continue(connected: socket.socket, over: threading.Event) -> None:
    request_of(connected)
    _drip(connected, over, itertools.cycle(b"HTTP/1.1 100 Continue\r\n\r\n"), 0.01)


def pour_100_continue(connected: socket.socket, over: threading.Event) -> None:
    request_of(connected)
    _pour(connected, b"HTTP/1.1 100 Continue\r\n\r\n" * 1000)


def pour_early_hints(connected: socket.socket, over: threading.Event) -> None:
    request_of(connected)
    _pour(connected, b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" * 1000)


def pour_headers(connected: socket.socket, over: threading.Event) -> None:
    request_of(connected)
    connected.sendall(HEAD)
    _pour(connected, b"X: y\r\n" * 10_000)


def pour_one_header(connected: socket.socket, over: threading.Event) -> None:
    request_of(connected)
    connected.sendall(HEAD + b"X: ")
    _pour(connected, b"x" * 65536)


def pour_a_gigabyte(connected: socket.socket, over: threading.Event) -> None:
    request_of(connected)
    connected.sendall(HEAD + f"Content-Length: {GIGABYTE}\r\n\r\n".encode())
    _pour(connected, b"x" * 65536)


def pour_chunks(connected: socket.socket, over: threading.Event) -> None:
    request_of(connected)
    connected.sendall(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
    _pour(connected, b"10000\r\n" + b"x" * 65536 + b"\r\n")


def send_a_bomb(connected: socket.socket, over: threading.Event) -> None:
    """Return 300 MiB of zeros as gzip, compressed while they are sent."""
    request_of(connected)
    connected.sendall(HEAD + b"Content-Encoding: gzip\r\nConnection: close\r\n\r\n")
    gzip = zlib.compressobj(wbits=31)
    for _ in range(BOMB_MIB):
        connected.sendall(gzip.compress(bytes(2**20)))
    connected.sendall(gzip.flush())


def reset_before_the_answer(connected: socket.socket, over: threading.Event) -> None:
    request_of(connected)
    _reset(connected)


def reset_within_the_headers(connected: socket.socket, over: threading.Event) -> None:
    request_of(connected)
    connected.sendall(b"HTTP/1.1 200")
    _reset(connected)


def reset_within_the_body(connected: socket.socket, over: threading.Event) -> None:
    request_of(connected)
    connected.sendall(HEAD + b"Content-Length: 1000\r\n\r\nx")
    _reset(connected)


def reset_after_the_body(connected: socket.socket, over: threading.Event) -> None:
    request_of(connected)
    connected.sendall(HEAD + b"Content-Length: 1\r\n\r\nx")
    _reset(connected)


def hang_after(answer: bytes) -> Behave:
    """Respond, and keep the connection open without sending another byte."""

    def behave(connected: socket.socket, over: threading.Event) -> None:
        request_of(connected)
        connected.sendall(answer)
        over.wait(PATIENCE_SECONDS)

    return behave


def reset_after(answer: bytes) -> Behave:
    def behave(connected: socket.socket, over: threading.Event) -> None:
        request_of(connected)
        connected.sendall(answer)
        _reset(connected)

    return behave


def answer_unread(answer: bytes) -> Behave:
    """Respond before the request is read, and close: unread data makes the close a reset."""

    def behave(connected: socket.socket, over: threading.Event) -> None:
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # or the response may be lost
        connected.recv(16)
        connected.sendall(answer)

    return behave


def answer_and_reset(answer: bytes) -> Behave:
    def behave(connected: socket.socket, over: threading.Event) -> None:
        connected.recv(16)
        connected.sendall(answer)
        over.wait(0.2)
        _reset(connected)

    return behave


def answer_and_hang(answer: bytes) -> Behave:
    """Respond before the request is read, and then neither read nor close."""

    def behave(connected: socket.socket, over: threading.Event) -> None:
        connected.recv(16)
        connected.sendall(answer)
        over.wait(PATIENCE_SECONDS)

    return behave


def hang_in_the_handshake(connected: socket.socket, over: threading.Event) -> None:
    connected.recv(65536)
    over.wait(PATIENCE_SECONDS)


def drip_the_handshake(server: Path) -> Behave:
    """Send a valid handshake byte by byte."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(server)

    def behave(connected: socket.socket, over: threading.Event) -> None:
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        incoming.write(connected.recv(65536))
        with suppress(ssl.SSLWantReadError):
            context.wrap_bio(incoming, outgoing, server_side=True).do_handshake()
        _drip(connected, over, outgoing.read())

    return behave


def _drip(connected: socket.socket, over: threading.Event, text: Iterable[int], seconds: float = DRIP_SECONDS) -> None:
    for byte in itertools.islice(text, round(PATIENCE_SECONDS / seconds)):
        connected.sendall(bytes([byte]))
        if over.wait(seconds):
            return


def _pour(connected: socket.socket, part: bytes) -> None:
    for _ in range(GIGABYTE // len(part)):
        connected.sendall(part)


def _reset(connected: socket.socket) -> None:
    """Close the connection with a reset."""
    connected.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
