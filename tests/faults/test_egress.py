"""Receivers that misbehave, on loopback sockets: each exchange ends on its own, at the latest at the deadline.

Each is called by a process of its own, whose true peak of memory is measured (see `measured`).
"""

import itertools
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import pytest
from msgspec.structs import replace

from jobtrack.push.egress.guarded_post import DEADLINE_SECONDS, Egress, EgressError, Response
from jobtrack.push.egress.urls import WebhookUrl
from tests.certificates import Certified, certify
from tests.faults import misbehaving
from tests.faults.measured import NAIVE_BYTES, Measured, measured
from tests.receivers import HEAD, Behave, answering, over_tls, post, receiver, request_of

DEADLINE = 1.5
SPARE_SECONDS = 10
"""What a busy machine may add to a deadline; receivers continue for much longer."""
HOST = "hook.example"
MOST_MEMORY = 5 * 2**20
HANDSHAKE = "TLS failed: the handshake was not finished"
RESET = "the connection was reset before a response came"
TOO_MUCH = "no final status within 16 KB, only interim responses"
FINE = answering(HEAD + b"Content-Length: 0\r\n\r\n")


def egress(seconds: float = DEADLINE) -> Egress:
    return Egress(allow_loopback=True, seconds=seconds)


@pytest.fixture(scope="module")
def certified(tmp_path_factory: pytest.TempPathFactory) -> Certified:
    return certify(tmp_path_factory.mktemp("tls"), HOST)


def called(behave: Behave, seconds: float = DEADLINE) -> Measured:
    with receiver(FINE) as warm, receiver(behave) as target:
        return measured(target, warm, seconds)


def called_over_tls(behave: Behave, certified: Certified) -> Measured:
    with receiver(over_tls(certified.server, FINE)) as warm, receiver(behave) as target:
        warm, target = (replace(each, tls=True, host=HOST) for each in (warm, target))
        return measured(target, warm, DEADLINE, authority=certified.authority)


def ended(found: Measured, outcome: int | str) -> None:
    """The exchange had this result, and left nothing behind."""
    assert found.outcome == outcome
    assert found.grown < MOST_MEMORY
    assert (found.descriptors, found.threads) == (0, 0)


def ended_at_the_deadline(found: Measured, deadline: float = DEADLINE, late: str = "no response") -> None:
    ended(found, f"{late} within {deadline:g} seconds")
    assert deadline <= found.seconds < deadline + SPARE_SECONDS


def ended_in_time(found: Measured, outcome: int | str) -> None:
    ended(found, outcome)
    assert found.seconds < DEADLINE + SPARE_SECONDS


def test_the_measure_sees_what_a_client_takes_that_reads_on() -> None:
    with receiver(FINE) as warm, receiver(misbehaving.pour_a_gigabyte) as target:
        found = measured(target, warm, naive=True)
    assert found.outcome == NAIVE_BYTES
    assert found.grown > NAIVE_BYTES * 0.9


def test_connection_refused() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        nobody = WebhookUrl(False, "127.0.0.1", closed.getsockname()[1], "/")
    with receiver(FINE) as warm:
        ended_in_time(measured(nobody, warm, DEADLINE), "connection refused")


@contextmanager
def not_accepting() -> Iterator[WebhookUrl]:
    """A socket with a full backlog, which accepts no connection."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full, ExitStack() as waiting:
        for _ in range(3):
            queued = waiting.enter_context(socket.socket())
            queued.setblocking(False)
            queued.connect_ex(full.getsockname())
        yield WebhookUrl(False, "127.0.0.1", full.getsockname()[1], "/")


@pytest.mark.parametrize("addresses", [1, 6])
def test_hang_on_connect(addresses: int) -> None:
    with receiver(FINE) as warm, not_accepting() as target:
        found = measured(target, warm, DEADLINE, ["127.0.0.1"] * addresses)
    ended_at_the_deadline(found, late="no connection")


@pytest.mark.parametrize(
    "behave",
    [
        misbehaving.hang_before_reading,
        misbehaving.hang_after_the_request,
        misbehaving.drip_the_headers,
        misbehaving.drip_100_continue,
    ],
    ids=lambda behave: behave.__name__,
)
def test_no_answer(behave: Behave) -> None:
    ended_at_the_deadline(called(behave))


def test_no_answer_within_the_true_deadline_of_10_seconds() -> None:
    assert DEADLINE_SECONDS == 10
    ended_at_the_deadline(called(misbehaving.drip_the_headers, DEADLINE_SECONDS), DEADLINE_SECONDS)


def test_the_request_is_not_taken() -> None:
    late = f"the request was not accepted within {DEADLINE} seconds"
    with receiver(misbehaving.hang_before_reading) as target, pytest.raises(EgressError, match=late):
        post(egress(), target, {}, b"x" * 50_000_000)


@pytest.mark.parametrize(
    ("handshake", "late"),
    [
        (lambda certified: misbehaving.hang_in_the_handshake, HANDSHAKE),
        (lambda certified: misbehaving.drip_the_handshake(certified.server), HANDSHAKE),
        (lambda certified: over_tls(certified.server, misbehaving.hang_after_the_request), "no response"),
        (lambda certified: over_tls(certified.server, misbehaving.drip_the_headers), "no response"),
    ],
    ids=["handshake hangs", "handshake drips", "hangs after the request", "headers drip"],
)
def test_no_answer_over_tls(handshake: Callable[[Certified], Behave], late: str, certified: Certified) -> None:
    ended_at_the_deadline(called_over_tls(handshake(certified), certified), late=late)


@pytest.mark.parametrize(
    ("behave", "outcome"),
    [
        (misbehaving.drip_the_body, 200),
        (misbehaving.reset_before_the_answer, RESET),
        (misbehaving.reset_within_the_headers, RESET),
        (misbehaving.reset_within_the_body, 200),
        (misbehaving.reset_after_the_body, 200),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_cut_short(behave: Behave, outcome: int | str) -> None:
    ended_in_time(called(behave), outcome)


@pytest.mark.parametrize(
    ("behave", "outcome"),
    [
        (misbehaving.pour_a_gigabyte, 200),
        (misbehaving.pour_chunks, 200),
        (misbehaving.send_a_bomb, 200),
        (misbehaving.pour_one_header, 200),
        (misbehaving.pour_headers, 200),
        (misbehaving.pour_100_continue, f"{TOO_MUCH} (100)"),
        (misbehaving.pour_early_hints, f"{TOO_MUCH} (103)"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_of_what_is_huge_or_endless_only_the_beginning_is_taken(behave: Behave, outcome: int | str) -> None:
    ended_in_time(called(behave), outcome)


@pytest.mark.parametrize("behave", [misbehaving.pour_a_gigabyte, misbehaving.send_a_bomb], ids=["1 GB", "gzip bomb"])
def test_over_tls_too(behave: Behave, certified: Certified) -> None:
    ended_in_time(called_over_tls(over_tls(certified.server, behave), certified), 200)


def test_the_request_is_a_plain_post_with_our_headers() -> None:
    seen = []

    def behave(connected: socket.socket, over: threading.Event) -> None:
        seen.append(request_of(connected))
        connected.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")

    with receiver(behave) as target:
        assert post(egress(), target, {"webhook-id": "msg_1"}, b"{}") == Response(204)
    lines = seen[0].decode().split("\r\n")
    assert lines[0] == "POST /hook?x=1 HTTP/1.1"
    assert {f"host: 127.0.0.1:{target.port}", "webhook-id: msg_1", "Content-Length: 2"} <= set(lines)
    assert not [line for line in lines if line.lower().startswith("accept-encoding") and "gzip" in line]


def test_an_answer_may_be_announced_by_others() -> None:
    hints = b"HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
    answer = b"HTTP/1.1 429 Slow down\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n"
    with receiver(answering(b"HTTP/1.1 100 Continue\r\n\r\n", hints, answer)) as target:
        assert post(egress(), target, {}, b"{}") == Response(429, "7")
    with receiver(answering(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n")) as target:
        assert post(egress(), target, {}, b"{}") == Response(101)


def test_retry_after_is_told() -> None:
    with receiver(answering(b"HTTP/1.1 429 Slow down\r\nRetry-After: 7\r\n\r\n")) as target:
        assert post(egress(), target, {}, b"{}") == Response(429, "7")


def test_proxies_of_the_environment_are_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    with receiver(FINE) as target:
        assert post(egress(), target, {}, b"{}").status == 200


def test_the_whole_takes_no_longer_than_the_deadline_by_our_own_clock() -> None:
    moments = itertools.count()
    with receiver(misbehaving.drip_100_continue) as target, pytest.raises(EgressError, match="within 50 seconds"):
        post(Egress(allow_loopback=True, seconds=50, clock=lambda: float(next(moments))), target, {}, b"{}")
    assert next(moments) <= 60
