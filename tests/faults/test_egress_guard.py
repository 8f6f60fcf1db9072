"""The addresses that the egress refuses, and the addresses that it connects to."""

import socket
import ssl
import threading
from collections.abc import Iterator

import pytest
from msgspec.structs import replace

from jobtrack.push.egress.guarded_post import Egress, EgressError
from jobtrack.push.egress.urls import WebhookUrl
from tests.certificates import Certified, certify
from tests.hostile import Traffic, hearing
from tests.receivers import HEAD, answering, over_tls, post, receiver

FINE = answering(HEAD + b"\r\n")


def local() -> Egress:
    return Egress(allow_loopback=True, seconds=0.5)


def test_tls_is_spoken_or_nothing_is_sent() -> None:
    seen = []

    def behave(connected: socket.socket, over: threading.Event) -> None:
        seen.append(connected.recv(65536))
        connected.sendall(b"HTTP/1.1 200 OK\r\n\r\n")

    with (
        receiver(behave) as plain,
        pytest.raises(EgressError, match="TLS failed: the receiver does not speak TLS on this port"),
    ):
        post(local(), WebhookUrl(True, "localhost", plain.port, "/"), {"authorization": "Bearer secret"}, b"{}")
    assert b"secret" not in seen[0]


@pytest.fixture(scope="module")
def certified(tmp_path_factory: pytest.TempPathFactory) -> Certified:
    return certify(tmp_path_factory.mktemp("tls"), "hook.example")


def trusting(certified: Certified) -> Egress:
    def resolve(host: str, port: int) -> list[str]:
        return ["127.0.0.1"]

    return Egress(
        allow_loopback=True, resolve=resolve, tls=ssl.create_default_context(cafile=certified.authority), seconds=5
    )


def test_the_certificate_must_be_of_the_name_though_the_address_was_looked_up_by_us(certified: Certified) -> None:
    asked: list[str | None] = []
    with receiver(over_tls(certified.server, FINE, asked)) as target:
        answer = post(trusting(certified), replace(target, tls=True, host="hook.example"), {}, b"{}")
    with (
        receiver(over_tls(certified.server, FINE, asked)) as target,
        pytest.raises(EgressError, match="is not for this host"),
    ):
        post(trusting(certified), replace(target, tls=True, host="other.example"), {}, b"{}")
    assert (answer.status, asked) == (200, ["hook.example", "other.example"])


def test_a_certificate_that_nobody_vouches_for_is_not_accepted(certified: Certified) -> None:
    doubting = Egress(allow_loopback=True, resolve=lambda host, port: ["127.0.0.1"], seconds=5)
    with (
        receiver(over_tls(certified.server, FINE)) as target,
        pytest.raises(EgressError, match="TLS failed: the certificate's issuer is unknown"),
    ):
        post(doubting, replace(target, tls=True, host="hook.example"), {}, b"{}")


@pytest.fixture
def traffic() -> Iterator[Traffic]:
    with hearing() as heard:
        yield heard


def test_when_an_address_does_not_answer_the_next_is_tried(traffic: Traffic) -> None:
    guarded = Egress(resolve=lambda host, port: [f"93.184.215.{number}" for number in range(10)])
    with pytest.raises(EgressError, match="refused"):
        post(guarded, WebhookUrl(True, "hook.example", 443, "/"), {}, b"{}")
    assert traffic.connected == [(f"93.184.215.{number}", 443) for number in range(4)]


def test_plain_http_is_for_loopback_only(traffic: Traffic) -> None:
    local = Egress(allow_loopback=True, resolve=lambda host, port: ["93.184.215.14"])
    with pytest.raises(EgressError, match="resolves to a non-public address"):
        post(local, WebhookUrl(False, "hook.example", 80, "/"), {}, b"{}")
    assert traffic.connected == []


def test_a_look_up_that_hangs_is_left_at_the_deadline_and_leads_nowhere(traffic: Traffic) -> None:
    over = threading.Event()

    def hang(host: str, port: int) -> list[str]:
        over.wait(30)
        return ["93.184.215.14"]

    before = threading.active_count()
    with pytest.raises(EgressError, match=r"the host name was not resolved within 0.5 seconds"):
        post(Egress(resolve=hang, seconds=0.5), WebhookUrl(True, "hook.example", 443, "/"), {}, b"{}")
    [waiting] = [thread for thread in threading.enumerate() if thread.name == "lookup"]
    over.set()
    waiting.join(30)
    assert (traffic.connected, threading.active_count()) == ([], before)


def test_a_slow_look_up_leaves_less_for_the_rest() -> None:
    moments = iter([0.0, 0.0, 11.0])
    guarded = Egress(resolve=lambda host, port: ["93.184.215.14"], seconds=10, clock=lambda: next(moments))
    with pytest.raises(EgressError, match="no connection within 10 seconds"):
        post(guarded, WebhookUrl(True, "hook.example", 443, "/"), {}, b"{}")


def test_a_host_without_address_is_told_as_such() -> None:
    def nowhere(host: str, port: int) -> list[str]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    with pytest.raises(EgressError, match="the host name does not resolve"):
        post(Egress(resolve=nowhere), WebhookUrl(True, "hook.example", 443, "/"), {}, b"{}")
