"""What the egress refuses to reach, and whom it believes to have reached."""

import itertools
import socket
import ssl
import threading
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from jobtrack.push.egress import Egress, EgressError
from jobtrack.push.urls import Target
from tests.receivers import HEAD, Behave, answering, receiver


def local() -> Egress:
    return Egress(allow_loopback=True, seconds=0.5)


def test_tls_is_spoken_or_nothing_is_sent() -> None:
    seen = []

    def behave(connected: socket.socket, over: threading.Event) -> None:
        seen.append(connected.recv(65536))
        connected.sendall(b"HTTP/1.1 200 OK\r\n\r\n")

    with receiver(behave) as plain, pytest.raises(EgressError, match="TLS failed"):
        local().post(Target(True, "localhost", plain.port, "/"), {"authorization": "Bearer secret"}, b"{}")
    assert b"secret" not in seen[0]


def test_a_tls_handshake_that_drips_is_left_at_the_deadline() -> None:
    def behave(connected: socket.socket, over: threading.Event) -> None:
        connected.recv(65536)
        for byte in itertools.cycle(b"\x16\x03\x03\x40\x00"):
            connected.sendall(bytes([byte]))
            if over.wait(0.05):
                return

    with receiver(behave) as target, pytest.raises(EgressError):
        local().post(Target(True, "localhost", target.port, "/"), {}, b"{}")


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


def test_a_look_up_that_hangs_is_left_at_the_deadline_and_leads_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    refuser, over = Refuser(monkeypatch), threading.Event()

    def hang(host: str, port: int) -> list[str]:
        over.wait(30)
        return ["93.184.215.14"]

    before = threading.active_count()
    with pytest.raises(EgressError, match=r"no answer within 0.5 seconds"):
        Egress(resolve=hang, seconds=0.5).post(Target(True, "hook.example", 443, "/"), {}, b"{}")
    [waiting] = [thread for thread in threading.enumerate() if thread.name == "lookup"]
    over.set()
    waiting.join(30)
    assert (refuser.opened, threading.active_count()) == (0, before)


def test_a_slow_look_up_leaves_less_for_the_rest() -> None:
    moments = iter([0.0, 0.0, 11.0])
    guarded = Egress(resolve=lambda host, port: ["93.184.215.14"], seconds=10, clock=lambda: next(moments))
    with pytest.raises(EgressError, match="no answer within 10 seconds"):
        guarded.post(Target(True, "hook.example", 443, "/"), {}, b"{}")


def test_a_host_without_address_is_told_as_such() -> None:
    def nowhere(host: str, port: int) -> list[str]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    with pytest.raises(EgressError, match="the host has no address"):
        Egress(resolve=nowhere).post(Target(True, "hook.example", 443, "/"), {}, b"{}")
