"""Clients without progress on a real socket: each loses its connection, and no other client waits for it."""

import asyncio
import resource
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobtrack_local.gateway import acceptor, server
from jobtrack_local.gateway.deadlines import SECONDS, Phase
from jobtrack_local.gateway.server import Server, bound
from jobtrack_local.websocket.connections import Connections
from jobtrack_local.websocket.gateway import WebSocketGateway

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

PATIENCE_SECONDS = 20
SOON = 0.4
HOST = b"Host: 127.0.0.1\r\n"
LARGE = 8 * 2**20
UPGRADE = b"Connection: Upgrade\r\nUpgrade: websocket\r\n"


async def application(scope: "Scope", receive: "Receive", send: "Send") -> None:
    """Reads the body, unless the path says otherwise; responds slowly if the path says so."""
    while scope["path"] != "/early" and (await receive()).get("more_body"):
        pass
    if scope["path"] == "/slow":
        await asyncio.sleep(4 * SOON)
    body = b"x" * (LARGE if scope["path"] == "/large" else 2)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]})
    await send({"type": "http.response.body", "body": body})


@contextmanager
def serving() -> Iterator[int]:
    """Run a server on a port of its own."""
    gateway = WebSocketGateway(("action",), {}, Connections())
    ready = threading.Event()
    running = Server(application, gateway, ready.set)
    with bound(0) as listener:
        thread = threading.Thread(target=running.run, args=([listener],))
        thread.start()
        try:
            assert ready.wait(PATIENCE_SECONDS)
            yield listener.getsockname()[1]
        finally:
            running.should_exit = True
            thread.join(PATIENCE_SECONDS)
            assert not thread.is_alive()


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Deadlines that are short enough for tests."""
    monkeypatch.setattr(server, "LOOK_SECONDS", 0.05)
    for phase in Phase:
        monkeypatch.setitem(SECONDS, phase, SOON)


@pytest.fixture
def port(hasty: None) -> Iterator[int]:
    with serving() as found:
        yield found


def connected(port: int, sent: bytes = b"") -> socket.socket:
    client = socket.create_connection(("127.0.0.1", port))
    client.settimeout(PATIENCE_SECONDS)
    client.sendall(sent)
    return client


def until_closed(client: socket.socket, drip: bytes = b"") -> bytes:
    """Send one byte after the other, and return what arrives until the server closes the connection."""
    rest, came, deadline = iter(drip), b"", time.monotonic() + PATIENCE_SECONDS
    client.settimeout(SOON / 8 if drip else PATIENCE_SECONDS)
    with client, suppress(ConnectionError):
        while time.monotonic() < deadline:
            try:
                part = client.recv(65536)
            except TimeoutError:
                client.sendall(bytes([next(rest)]))
                continue
            if not part:
                return came
            came += part
        pytest.fail("it is still open")
    return came


def get(port: int, path: bytes = b"/") -> bytes:
    client = connected(port, b"GET " + path + b" HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n")
    return until_closed(client)


POST = b"POST / HTTP/1.1\r\n" + HOST
BODY = b"x" * 1000
HEADER = b"X: " + BODY
UNFINISHED = [
    (b"", b"GET /" + BODY, b"", b"408"),
    (b"G", b"ET /" + BODY, b"408", b"408"),
    (b"GET / HT", b"TP/1.1\r\n" + HEADER, b"408", b"408"),
    (b"GET / HTTP/1.1\r\n", HEADER, b"408", b"408"),
    (b"GET / HTTP/1.1\r\n" + HOST + b"X: ", BODY, b"408", b"408"),
    (b"GET /websocket HTTP/1.1\r\n" + HOST + UPGRADE, HEADER, b"408", b"408"),
    (POST + b"Content-Length: 1000\r\n\r\n", BODY, b"408", b"408"),
    (POST + b"Content-Length: 1000\r\n\r\nabc", BODY, b"408", b"408"),
    (POST + b"Transfer-Encoding: chunked\r\n\r\nFF\r\nab", BODY, b"408", b"408"),
    (POST + b"Expect: 100-continue\r\nContent-Length: 99\r\n\r\n", BODY, b"408", b"408"),
    (b"GET / HTTP/1.1\r\n" + HOST + b"\r\n", b"GET /" + BODY, b"200", b"408"),  # 408: the next request
    (b"GET / HTTP/1.1\r\n" + HOST + b"\r\nGET / HT", b"TP/1.1\r\n" + HEADER, b"408", b"408"),
]
"""What a client sends, what it sends later, one byte after the other, and what it receives without and with that."""


@pytest.mark.parametrize("drips", [False, True], ids=["silent", "a byte now and then"])
def test_clients_that_do_not_finish_their_requests_are_let_go(port: int, drips: bool) -> None:
    clients = [connected(port, sent) for sent, *_ in UNFINISHED]
    rests = [rest if drips else b"" for _, rest, *_ in UNFINISHED]
    with ThreadPoolExecutor(len(clients)) as pool:
        came = list(pool.map(until_closed, clients, rests))
    for (sent, _, silent, dripping), text in zip(UNFINISHED, came, strict=True):
        status = dripping if drips else silent
        assert (b"HTTP/1.1 " + status in text) if status else text == b"", (sent, text)
        assert b"HTTP/1.1 5" not in text, sent
    assert b"HTTP/1.1 200" in get(port)


CHUNKED = b" HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n"
MALFORMED = [
    (b"POST /" + CHUNKED, b"ZZ\r\n"),
    (b"POST /" + CHUNKED + b"2\r\nab\r\n", b"-1\r\n"),
    (b"POST /" + CHUNKED, b"2\r\nabcd\r\n"),
    (b"POST /slow" + CHUNKED + b"0\r\n", b"\0\r\n\r\n"),
    (b"POST /early" + CHUNKED, b"ZZ\r\n"),
    (b"POST /early" + CHUNKED + b"2\r\nab\r\n", b"2\r\nabcd\r\n"),
]
"""The start of a request, and data that no server can parse."""


@pytest.mark.parametrize(("begun", "malformed"), MALFORMED)
@pytest.mark.parametrize("pause", [0, SOON / 4], ids=["at once", "later"])
def test_a_body_that_cannot_be_read_is_no_error_of_the_service(
    port: int, caplog: pytest.LogCaptureFixture, begun: bytes, malformed: bytes, pause: float
) -> None:
    client = connected(port, begun)
    time.sleep(pause)
    client.sendall(malformed)
    came = until_closed(client)
    assert came.startswith((b"HTTP/1.1 400", b"HTTP/1.1 200"))
    assert came.count(b"HTTP/1.1") == 1
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


GET = b"GET / HTTP/1.1\r\n"
LONG = b"a" * 2**19
REFUSED = {
    "no host": GET + b"\r\n",
    "two hosts": GET + HOST + HOST + b"\r\n",
    "a long header": GET + HOST + b"X: " + LONG,
    "many headers": GET + HOST + b"X: 1\r\n" * 2**17,
    "a long path": b"GET /" + LONG,
    "a long trailer": b"POST /" + CHUNKED + b"0\r\nX: " + LONG,
    "many trailers": b"POST /" + CHUNKED + b"0\r\n" + b"X: 1\r\n" * 2**17,
    "a long extension of a chunk": b"POST /" + CHUNKED + b"2;x=" + LONG,
    "two lengths": b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\nabc",
    "a length and chunks": b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 3\r\n" + CHUNKED.partition(HOST)[2],
    "two codings": b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: , chunked\r\n\r\n",
    "a space before a colon": GET + HOST + b"X : 1\r\n\r\n",
    "a bare line feed": b"GET / HTTP/1.1\n" + HOST + b"\n",
}
"""Requests that could hide another one from a proxy, or that would need memory without limit."""


@pytest.mark.parametrize("sent", REFUSED.values(), ids=REFUSED)
def test_an_ambiguous_or_endless_request_is_refused(port: int, sent: bytes) -> None:
    client = connected(port)
    with suppress(ConnectionError):
        client.sendall(sent)
    assert until_closed(client).startswith(b"HTTP/1.1 400")
    assert b"HTTP/1.1 200" in get(port)


def test_requests_sent_at_once_get_their_responses_in_order(port: int) -> None:
    client = connected(port, b"GET /slow HTTP/1.1\r\n" + HOST + b"\r\n" + GET + HOST + b"Connection: close\r\n\r\n")
    assert until_closed(client).count(b"HTTP/1.1 200") == 2


def test_a_client_that_leaves_while_its_requests_wait_is_no_error_of_the_service(
    port: int, caplog: pytest.LogCaptureFixture
) -> None:
    connected(port, (b"GET /slow HTTP/1.1\r\n" + HOST + b"\r\n") * 3).close()
    time.sleep(6 * SOON)
    assert b"HTTP/1.1 200" in get(port)
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


def test_a_client_that_never_reads_is_let_go(port: int) -> None:
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.connect(("127.0.0.1", port))
    client.sendall(b"GET /large HTTP/1.1\r\n" + HOST + b"\r\n")
    time.sleep(4 * SOON)
    assert len(until_closed(client)) < LARGE


def test_one_that_reads_slowly_gets_all_of_it(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SECONDS, Phase.READING, 4 * SOON)
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
    client.settimeout(PATIENCE_SECONDS)
    client.connect(("127.0.0.1", port))
    client.sendall(b"GET /large HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n")
    came = 0
    with client:
        while part := client.recv(2**18):
            came += len(part)
            time.sleep(SOON / 20)
    assert came > LARGE


def test_one_that_waits_for_a_slow_answer_gets_it(port: int) -> None:
    assert b"HTTP/1.1 200" in get(port, b"/slow")


@pytest.mark.parametrize("sent", [b"GET / HT", b"GET / HTTP/1.1\r\n" + HOST + b"\r\n"], ids=["half", "idle"])
def test_where_there_is_no_room_clients_wait_until_others_are_let_go(
    hasty: None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, sent: bytes
) -> None:
    monkeypatch.setattr(acceptor, "room", lambda limit: 3)
    with serving() as port, ExitStack() as stack:
        for _ in range(10):
            stack.enter_context(connected(port, sent))
        assert b"HTTP/1.1 200" in get(port)
    assert 1 <= len([record for record in caplog.records if record.name == "jobtrack_local.gateway.acceptor"]) <= 2


@pytest.mark.parametrize("cause", [OSError(24, "Too many open files"), OSError(12, "Cannot allocate memory")])
def test_without_descriptors_it_says_so_once_and_goes_on(
    hasty: None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, cause: OSError
) -> None:
    monkeypatch.setattr(acceptor, "RETRY_SECONDS", 0.01)
    monkeypatch.setattr(server, "LOOP", "asyncio")  # methods of uvloop's loop cannot be replaced
    take = asyncio.SelectorEventLoop.sock_accept
    left = [cause] * 50

    async def failing(loop: asyncio.SelectorEventLoop, listener: socket.socket) -> tuple[socket.socket, object]:
        if left:
            raise left.pop()
        return await take(loop, listener)

    monkeypatch.setattr(asyncio.SelectorEventLoop, "sock_accept", failing)
    with serving() as port:
        assert b"HTTP/1.1 200" in get(port)
    assert [record.name for record in caplog.records] == ["jobtrack_local.gateway.acceptor"]


@given(st.integers(1, 2**20))
def test_most_descriptors_are_left_to_what_serves_the_clients(limit: int) -> None:
    assert acceptor.FEWEST <= acceptor.room(limit) <= max(acceptor.FEWEST, limit // 4)
    assert acceptor.room(resource.RLIM_INFINITY) == acceptor.MOST
