"""Failures of TLS or of the connection are named, because tenants read them in the list of deliveries."""

import errno
import socket
import ssl
import struct
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from jobtrack.push.egress import failure_causes
from jobtrack.push.egress.failure_causes import Step
from jobtrack.push.egress.guarded_post import Egress, EgressError
from jobtrack.push.egress.urls import WebhookUrl
from tests.certificates import DAY, NOW, certify
from tests.receivers import HEAD, Behave, answering, post, receiver

HOST = "hook.example"
FINE = answering(HEAD + b"Content-Length: 0\r\n\r\n")

Changed = Callable[[ssl.SSLContext], None]


def secured(server: Path, change: Changed) -> Behave:
    """A receiver behind TLS whose settings a test changes."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(server)
    change(context)

    def behave(connected: socket.socket, over: threading.Event) -> None:
        with context.wrap_socket(connected, server_side=True) as wrapped:
            FINE(wrapped, over)

    return behave


def caused(behave: Behave, authority: Path | None, host: str = HOST) -> str:
    """Post to the receiver, and return the failure."""
    trusting = ssl.create_default_context(cafile=authority)
    with receiver(behave) as target, pytest.raises(EgressError) as failed:
        post(
            Egress(True, lambda name, port: ["127.0.0.1"], trusting, 5), replace(target, tls=True, host=host), {}, b"{}"
        )
    return str(failed.value)


def nothing(context: ssl.SSLContext) -> None:
    """Without changes."""


def old(context: ssl.SSLContext) -> None:
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1


def without_common_cipher(context: ssl.SSLContext) -> None:
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("ECDHE-RSA-AES128-GCM-SHA256")  # the key is not an RSA key


def asking_for_a_certificate(context: ssl.SSLContext) -> None:
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_default_certs()


def knowing_no_name(context: ssl.SSLContext) -> None:
    context.sni_callback = lambda *_: ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME


@pytest.mark.parametrize(
    ("cause", "certificate"),
    [
        ("the certificate has expired", {"valid": (NOW - 3 * DAY, NOW - DAY)}),
        ("the certificate is not valid yet", {"valid": (NOW + DAY, NOW + 3 * DAY)}),
        ("the certificate is self-signed", {"self_signed": True}),
        ("the certificate is not for this host", {"host": "other.example"}),
    ],
)
def test_what_is_wrong_with_a_certificate(cause: str, certificate: dict[str, object], tmp_path: Path) -> None:
    made = certify(tmp_path, **{"host": HOST, **certificate})  # type: ignore[arg-type]
    assert caused(secured(made.server, nothing), made.authority) == f"TLS failed: {cause}"


def test_a_certificate_of_an_address(tmp_path: Path) -> None:
    made = certify(tmp_path, HOST)
    found = caused(secured(made.server, nothing), made.authority, "127.0.0.1")
    assert found == "TLS failed: the certificate is not for this address"


def test_an_issuer_that_nobody_knows(tmp_path: Path) -> None:
    made = certify(tmp_path, HOST)
    found = caused(secured(made.server, nothing), None)
    assert found == "TLS failed: the certificate's issuer is unknown, or an intermediate certificate is missing"


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1 is deprecated:DeprecationWarning")
@pytest.mark.parametrize(
    ("cause", "change"),
    [
        ("the receiver supports no secure version of TLS", old),
        ("the receiver refused the handshake", without_common_cipher),
        ("the receiver requires a client certificate", asking_for_a_certificate),
        ("the receiver does not know this host name", knowing_no_name),
    ],
)
def test_what_the_receiver_refuses(cause: str, change: Changed, tmp_path: Path) -> None:
    made = certify(tmp_path, HOST)
    assert caused(secured(made.server, change), made.authority) == f"TLS failed: {cause}"


def plain_http(connected: socket.socket, over: threading.Event) -> None:
    connected.recv(65536)
    connected.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")


def another_protocol(connected: socket.socket, over: threading.Event) -> None:
    connected.sendall(b"220 mail.example ESMTP\r\n")
    connected.recv(65536)


def closing(connected: socket.socket, over: threading.Event) -> None:
    connected.recv(65536)


def resetting(connected: socket.socket, over: threading.Event) -> None:
    connected.recv(65536)
    connected.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


@pytest.mark.parametrize(
    ("cause", "behave"),
    [
        ("the receiver does not speak TLS on this port", plain_http),
        ("the receiver does not speak TLS on this port", another_protocol),
        ("the receiver closed the connection", closing),
        ("the connection was reset during the handshake", resetting),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_who_does_not_speak_tls(cause: str, behave: Behave) -> None:
    assert caused(behave, None) == f"TLS failed: {cause}"


def alerting(number: int) -> Behave:
    """A receiver that responds to the handshake with a fatal alert."""

    def behave(connected: socket.socket, over: threading.Event) -> None:
        connected.recv(65536)
        connected.sendall(bytes([21, 3, 3, 0, 2, 2, number]))

    return behave


@pytest.mark.parametrize(
    ("number", "cause"),
    [
        (40, "the receiver refused the handshake"),
        (48, "the handshake failed (tlsv1 alert unknown ca)"),
        (70, "the receiver supports no secure version of TLS"),
        (80, "the receiver refused the handshake (an internal error)"),
        (112, "the receiver does not know this host name"),
    ],
)
def test_an_alert(number: int, cause: str) -> None:
    assert caused(alerting(number), None) == f"TLS failed: {cause}"


def test_no_alert_is_without_a_cause() -> None:
    assert caused(alerting(120), None).startswith("TLS failed: the handshake failed (")


def test_plain_http_by_the_words_of_openssl_3_2() -> None:
    newer = ssl.SSLError(1, "[SSL] record layer failure (_ssl.c:1033)")
    assert (
        failure_causes.describe_failure(newer, Step.HANDSHAKE, 10)
        == "TLS failed: the receiver does not speak TLS on this port"
    )


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (socket.gaierror(socket.EAI_NONAME, "Name or service not known"), "the host name does not resolve"),
        (socket.gaierror(socket.EAI_AGAIN, "Try again"), "the host name cannot be resolved at the moment"),
        (UnicodeError("label too long"), "the host name cannot be resolved"),
        (OSError(errno.EMFILE, "Too many open files"), "the host name cannot be resolved"),
        (TimeoutError(), "the host name was not resolved within 5 seconds"),
    ],
)
def test_a_name_that_does_not_resolve(error: Exception, cause: str) -> None:
    def fail(host: str, port: int) -> list[str]:
        raise error

    with pytest.raises(EgressError) as failed:
        post(Egress(resolve=fail, seconds=5), WebhookUrl(True, HOST, 443, "/"), {}, b"{}")
    assert str(failed.value) == cause


def test_of_several_addresses_the_one_that_says_most_is_told(tmp_path: Path) -> None:
    expired = certify(tmp_path, HOST, (NOW - 3 * DAY, NOW - DAY))
    trusting = ssl.create_default_context(cafile=expired.authority)
    both = Egress(True, lambda name, port: ["127.0.0.1", "::1"], trusting, 5)
    with receiver(secured(expired.server, nothing)) as target, pytest.raises(EgressError, match="has expired"):
        post(both, replace(target, tls=True, host=HOST), {}, b"{}")
