"""Receivers that misbehave, over loopback sockets: each exchange ends by itself, at the deadline at the latest."""

import gzip
import itertools
import socket
import struct
import threading
import tracemalloc
from contextlib import ExitStack, suppress

import pytest

from jobtrack.push.egress import ANSWER_BYTES, Answer, Egress, EgressError
from jobtrack.push.urls import Target
from tests.receivers import HEAD, Behave, answering, receiver, request_of

DEADLINE = 0.5


def egress(seconds: float = DEADLINE) -> Egress:
    return Egress(allow_loopback=True, seconds=seconds)


def hang_on_read(connected: socket.socket, over: threading.Event) -> None:
    over.wait(10)


def hang_after_request(connected: socket.socket, over: threading.Event) -> None:
    request_of(connected)
    over.wait(10)


def drip_of_head(connected: socket.socket, over: threading.Event) -> None:
    request_of(connected)
    for byte in itertools.cycle(b"HTTP/1.1 200 OK\r\nX: "):
        connected.sendall(bytes([byte]))
        if over.wait(0.02):
            return


def endless_informational_answers(connected: socket.socket, over: threading.Event) -> None:
    request_of(connected)
    while not over.wait(0.001):
        connected.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")


def reset(connected: socket.socket, over: threading.Event) -> None:
    request_of(connected)
    connected.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def test_the_request_is_a_plain_post_with_our_headers() -> None:
    seen = []

    def behave(connected: socket.socket, over: threading.Event) -> None:
        seen.append(request_of(connected))
        connected.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")

    with receiver(behave) as target:
        assert egress().post(target, {"webhook-id": "msg_1"}, b"{}") == Answer(204)
    lines = seen[0].decode().split("\r\n")
    assert lines[0] == "POST /hook?x=1 HTTP/1.1"
    assert {f"host: 127.0.0.1:{target.port}", "webhook-id: msg_1", "Content-Length: 2"} <= set(lines)
    assert not [line for line in lines if line.lower().startswith("accept-encoding") and "gzip" in line]


@pytest.mark.parametrize("behave", [hang_on_read, hang_after_request, drip_of_head, endless_informational_answers])
def test_who_never_answers_is_left_at_the_deadline(behave: Behave) -> None:
    with (
        receiver(behave) as target,
        pytest.raises(EgressError, match=r"no answer within 0.5 seconds|without an answer"),
    ):
        egress().post(target, {}, b"{}")


def test_who_does_not_take_the_request_is_left_at_the_deadline() -> None:
    with receiver(hang_on_read) as target, pytest.raises(EgressError, match=r"no answer within"):
        egress().post(target, {}, b"x" * 50_000_000)


def test_a_dripping_body_does_not_hold_up_an_answer_that_has_its_status() -> None:
    def behave(connected: socket.socket, over: threading.Event) -> None:
        request_of(connected)
        connected.sendall(HEAD + b"Content-Length: 1000\r\n\r\n")
        while not over.wait(0.02):
            connected.sendall(b"x")

    with receiver(behave) as target:
        assert egress().post(target, {}, b"{}").status == 200


def test_a_reset_before_the_answer_is_no_answer() -> None:
    with receiver(reset) as target, pytest.raises(EgressError, match="without an answer"):
        egress().post(target, {}, b"{}")


def test_a_reset_within_the_body_comes_after_the_answer() -> None:
    def behave(connected: socket.socket, over: threading.Event) -> None:
        request_of(connected)
        connected.sendall(HEAD + b"Content-Length: 1000\r\n\r\nx")
        connected.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    with receiver(behave) as target:
        assert egress().post(target, {}, b"{}").status == 200


def test_who_does_not_take_the_connection_is_left_at_the_deadline() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full, ExitStack() as waiting:
        for _ in range(3):
            queued = waiting.enter_context(socket.socket())
            queued.setblocking(False)
            queued.connect_ex(full.getsockname())
        with pytest.raises(EgressError, match="no answer within"):
            egress().post(Target(False, "127.0.0.1", full.getsockname()[1], "/"), {}, b"{}")


def test_nobody_listening_is_refused() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with pytest.raises(EgressError, match="connection refused"):
        egress().post(Target(False, "127.0.0.1", port, "/"), {}, b"{}")


@pytest.mark.parametrize("answer", [b"", b"\r\n", b"SSH-2.0-x\r\n", b"HTTP/1.1 abc\r\n\r\n", b"\x00" * 100_000])
def test_what_is_no_http_is_no_answer(answer: bytes) -> None:
    with receiver(answering(answer)) as target, pytest.raises(EgressError):
        egress().post(target, {}, b"{}")


def flood(connected: socket.socket, over: threading.Event) -> None:
    request_of(connected)
    connected.sendall(HEAD + b"Content-Length: 1000000000\r\n\r\n")
    _pour(connected, b"x" * 65536)


def chunked_flood(connected: socket.socket, over: threading.Event) -> None:
    request_of(connected)
    connected.sendall(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
    _pour(connected, b"10000\r\n" + b"x" * 65536 + b"\r\n")


def flood_of_headers(connected: socket.socket, over: threading.Event) -> None:
    request_of(connected)
    connected.sendall(HEAD)
    _pour(connected, b"X: " + b"x" * 60000 + b"\r\n")


def gzip_bomb(connected: socket.socket, over: threading.Event) -> None:
    request_of(connected)
    connected.sendall(HEAD + b"Content-Encoding: gzip\r\n\r\n")
    _pour(connected, gzip.compress(bytes(1_000_000)))


def _pour(connected: socket.socket, part: bytes) -> None:
    for _ in range(1_000_000_000 // len(part)):
        connected.sendall(part)


@pytest.mark.parametrize("behave", [flood, chunked_flood, flood_of_headers, gzip_bomb])
def test_of_a_huge_answer_only_its_beginning_is_taken(behave: Behave) -> None:
    with receiver(behave) as target:
        tracemalloc.start()
        try:
            assert egress(5).post(target, {}, b"{}").status == 200
            taken = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert taken < 5 * 2**20 - ANSWER_BYTES


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_redirects_are_not_followed(status: int) -> None:
    with socket.create_server(("127.0.0.1", 0)) as elsewhere:
        location = f"Location: http://127.0.0.1:{elsewhere.getsockname()[1]}/\r\n".encode()
        head = f"HTTP/1.1 {status} Moved\r\n".encode() + location + b"Content-Length: 0\r\n\r\n"
        with receiver(answering(head)) as target:
            assert egress().post(target, {}, b"{}") == Answer(status)
        elsewhere.setblocking(False)
        with pytest.raises(BlockingIOError):
            elsewhere.accept()


def test_retry_after_is_told() -> None:
    with receiver(answering(b"HTTP/1.1 429 Slow down\r\nRetry-After: 7\r\n\r\n")) as target:
        assert egress().post(target, {}, b"{}") == Answer(429, "7")


def test_proxies_of_the_environment_are_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    with receiver(answering(HEAD + b"\r\n")) as target:
        assert egress().post(target, {}, b"{}").status == 200


def test_no_thread_and_no_socket_is_left_behind() -> None:
    before = threading.active_count()
    for behave in (hang_after_request, drip_of_head, reset):
        with receiver(behave) as target, suppress(EgressError):
            egress(0.1).post(target, {}, b"{}")
    assert threading.active_count() == before


def test_the_whole_takes_no_longer_than_the_deadline_by_our_own_clock() -> None:
    moments = itertools.count()
    with receiver(drip_of_head) as target, pytest.raises(EgressError, match="no answer within 50 seconds"):
        Egress(allow_loopback=True, seconds=50, clock=lambda: float(next(moments))).post(target, {}, b"{}")
    assert next(moments) <= 60
