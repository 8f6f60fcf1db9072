"""Receivers that misbehave, over loopback sockets: each exchange ends by itself, at the deadline at the latest."""

import gzip
import itertools
import socket
import ssl
import struct
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from jobtrack.push.egress import ANSWER_BYTES, Answer, Egress, EgressError
from jobtrack.push.urls import Target

DEADLINE = 0.5
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


def egress(seconds: float = DEADLINE) -> Egress:
    return Egress(allow_loopback=True, seconds=seconds)


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


def test_tls_is_spoken_or_nothing_is_sent() -> None:
    seen = []

    def behave(connected: socket.socket, over: threading.Event) -> None:
        seen.append(connected.recv(65536))
        connected.sendall(b"HTTP/1.1 200 OK\r\n\r\n")

    with receiver(behave) as plain, pytest.raises(EgressError, match="TLS failed"):
        egress().post(Target(True, "localhost", plain.port, "/"), {"authorization": "Bearer secret"}, b"{}")
    assert b"secret" not in seen[0]


def test_a_tls_handshake_that_drips_is_left_at_the_deadline() -> None:
    def behave(connected: socket.socket, over: threading.Event) -> None:
        connected.recv(65536)
        for byte in itertools.cycle(b"\x16\x03\x03\x40\x00"):
            connected.sendall(bytes([byte]))
            if over.wait(0.05):
                return

    with receiver(behave) as target, pytest.raises(EgressError):
        egress().post(Target(True, "localhost", target.port, "/"), {}, b"{}")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key and a self-signed certificate of `hook.example`, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "hook.example")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, now - timedelta(days=1), now + timedelta(days=1))
    names = x509.SubjectAlternativeName([x509.DNSName("hook.example")])
    signed = builder.add_extension(names, critical=False).sign(key, hashes.SHA256())
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path = tmp_path_factory.mktemp("tls") / "hook.pem"
    path.write_bytes(private + signed.public_bytes(Encoding.PEM))
    return path


def speaking_tls(certificate: Path, asked: list[str | None]) -> Behave:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    context.sni_callback = lambda connection, name, _: asked.append(name)

    def behave(connected: socket.socket, over: threading.Event) -> None:
        with suppress(ssl.SSLError), context.wrap_socket(connected, server_side=True) as wrapped:
            answering(HEAD + b"\r\n")(wrapped, over)

    return behave


def trusting(certificate: Path) -> Egress:
    def resolve(host: str, port: int) -> list[str]:
        return ["127.0.0.1"]

    return Egress(allow_loopback=True, resolve=resolve, tls=ssl.create_default_context(cafile=certificate), seconds=5)


def test_the_certificate_must_be_of_the_name_though_the_address_was_looked_up_by_us(certificate: Path) -> None:
    asked: list[str | None] = []
    with receiver(speaking_tls(certificate, asked)) as target:
        answer = trusting(certificate).post(replace(target, tls=True, host="hook.example"), {}, b"{}")
    with receiver(speaking_tls(certificate, asked)) as target, pytest.raises(EgressError, match="TLS failed"):
        trusting(certificate).post(replace(target, tls=True, host="other.example"), {}, b"{}")
    assert (answer.status, asked) == (200, ["hook.example", "other.example"])


def test_a_certificate_that_nobody_vouches_for_is_not_accepted(certificate: Path) -> None:
    doubting = Egress(allow_loopback=True, resolve=lambda host, port: ["127.0.0.1"], seconds=5)
    with (
        receiver(speaking_tls(certificate, [])) as target,
        pytest.raises(EgressError, match="CERTIFICATE_VERIFY_FAILED"),
    ):
        doubting.post(replace(target, tls=True, host="hook.example"), {}, b"{}")


class Refuser:
    """Counts the connections that are opened, and opens none."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.opened = 0
        monkeypatch.setattr(socket.socket, "connect", self._connect)

    def _connect(self, address: object) -> None:
        self.opened += 1
        raise ConnectionRefusedError


HOSTILE_ANSWERS = [
    ["127.0.0.1"],
    ["169.254.169.254"],
    ["93.184.215.14", "10.0.0.1"],
    ["::ffff:169.254.169.254"],
    ["64:ff9b::a9fe:a9fe"],
    ["2002:a9fe:a9fe::1"],
    ["fe80::1%1"],
    ["2606:4700:4700::1111", "::1"],
    [],
]


@pytest.mark.parametrize("answers", HOSTILE_ANSWERS)
def test_no_connection_is_opened_unless_all_addresses_are_public(
    answers: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    refuser = Refuser(monkeypatch)
    guarded = Egress(resolve=lambda host, port: answers)
    with pytest.raises(EgressError, match="public addresses only"):
        guarded.post(Target(True, "hook.example", 443, "/"), {}, b"{}")
    assert refuser.opened == 0


def test_the_connection_goes_to_the_address_that_was_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    asked, connected = [], []

    def rebinding(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["93.184.215.14"] if len(asked) == 1 else ["127.0.0.1"]

    def connect(self: socket.socket, address: tuple[str, int]) -> None:
        connected.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket.socket, "connect", connect)
    with pytest.raises(EgressError, match="refused"):
        Egress(resolve=rebinding).post(Target(True, "hook.example", 443, "/"), {}, b"{}")
    assert (asked, connected) == (["hook.example"], [("93.184.215.14", 443)])


def test_when_an_address_does_not_answer_the_next_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    refuser = Refuser(monkeypatch)
    guarded = Egress(resolve=lambda host, port: [f"93.184.215.{number}" for number in range(10)])
    with pytest.raises(EgressError, match="refused"):
        guarded.post(Target(True, "hook.example", 443, "/"), {}, b"{}")
    assert refuser.opened == 4


def test_plain_http_is_for_loopback_only(monkeypatch: pytest.MonkeyPatch) -> None:
    refuser = Refuser(monkeypatch)
    local = Egress(allow_loopback=True, resolve=lambda host, port: ["93.184.215.14"])
    with pytest.raises(EgressError, match="public addresses only"):
        local.post(Target(False, "hook.example", 80, "/"), {}, b"{}")
    assert refuser.opened == 0


def test_a_slow_resolver_counts_against_the_deadline() -> None:
    moments = iter([0.0, 11.0, 11.0])
    guarded = Egress(resolve=lambda host, port: ["93.184.215.14"], seconds=10, clock=lambda: next(moments))
    with pytest.raises(EgressError, match="no answer within 10 seconds"):
        guarded.post(Target(True, "hook.example", 443, "/"), {}, b"{}")


def test_a_host_without_address_is_told_as_such() -> None:
    def nowhere(host: str, port: int) -> list[str]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    with pytest.raises(EgressError, match="the host has no address"):
        Egress(resolve=nowhere).post(Target(True, "hook.example", 443, "/"), {}, b"{}")


def test_the_whole_takes_no_longer_than_the_deadline_by_our_own_clock() -> None:
    moments = itertools.count()
    with receiver(drip_of_head) as target, pytest.raises(EgressError, match="no answer within 50 seconds"):
        Egress(allow_loopback=True, seconds=50, clock=lambda: float(next(moments))).post(target, {}, b"{}")
    assert next(moments) <= 60
