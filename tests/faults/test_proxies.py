"""Proxy and certificate variables: loopback uses no proxy, failures are named, and no program ends."""

import logging
import socketserver
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

import pytest
from websockets.sync.server import ServerConnection, serve

import jobtrack_client as jt
from jobtrack_client._api._sync.sockets import messages
from jobtrack_client._api.webhooks import new_secret
from jobtrack_client.commands.listen import _forwarder
from tests.faults.serving import environment, serving
from tests.faults.test_running import JOBTRACK, PATIENCE_SECONDS, python, start
from tests.unit.client.service import GUID, Service

NOBODY = "http://me:hidden@127.0.0.1:9"
"""Nothing listens there."""
UNUSABLE = [
    {"ALL_PROXY": "socks5://127.0.0.1:9"},
    {"HTTPS_PROXY": "ftp://127.0.0.1"},
    {"HTTPS_PROXY": "http://127.0.0.1:9", "NO_PROXY": "[::1"},
    {"SSL_CERT_FILE": "/nonexistent"},
    {"SSL_CERT_DIR": "/nonexistent"},
]


@contextmanager
def answering(status: str) -> Iterator[str]:
    """Run a proxy that responds to every request with this status, and return its URL."""

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            length = 0
            while line := self.rfile.readline().strip().lower():
                length = int(line.removeprefix(b"content-length:")) if line.startswith(b"content-length:") else length
            self.rfile.read(length)
            self.wfile.write(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "ssl_cert_file", "ssl_cert_dir"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.mark.parametrize("variables", UNUSABLE)
def test_a_command_runs_whatever_the_environment_says_of_the_network(
    variables: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    process = start("https://jobs.invalid", *python("print('ran'); exit(5)"), options=("--wait", "0"))
    out, err = process.communicate(timeout=PATIENCE_SECONDS)
    assert (process.returncode, out) == (5, b"ran\n")
    said = err.decode().splitlines()
    assert next(iter(variables)) in said[0]
    if "NO_PROXY" not in variables:  # the proxy can be used there, but it is unavailable
        assert len(said) == 1


def test_a_command_that_asks_says_in_one_line_what_cannot_be_used() -> None:
    variables = {**environment("https://jobs.invalid"), "ALL_PROXY": "socks5://me:hidden@127.0.0.1:9"}
    ran = subprocess.run([JOBTRACK, "jobs"], env=variables, capture_output=True, text=True, timeout=60)
    why = "ALL_PROXY=socks5://127.0.0.1:9 is a SOCKS proxy: it needs `pip install 'httpx[socks]'`"
    assert (ran.returncode, ran.stderr) == (1, f"jobtrack: {why}\n")


@pytest.mark.parametrize("variables", [*UNUSABLE, {"HTTP_PROXY": NOBODY, "ALL_PROXY": NOBODY}])
def test_a_service_on_this_machine_needs_nothing_of_it(
    variables: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    service = Service()
    with serving(service) as server:
        process = start(server.url, *python("print('ran')"))
        _, err = process.communicate(timeout=PATIENCE_SECONDS)
    assert err == b""
    assert service.messages() == ["ran"]
    assert service.types()[-1] == "jobCompleted"


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize(
    ("status", "told"),
    [
        (None, "Connection refused"),
        ("407 Proxy Authentication Required", "407 Proxy Authentication Required"),
        ("502 Bad Gateway", "Bad Gateway"),
    ],
)
def test_an_error_names_the_proxy_that_was_used(
    scheme: str, status: str | None, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with answering(status or "204 Nobody asks") as place:
        at = place if status else "127.0.0.1:9"
        monkeypatch.setenv(f"{scheme.upper()}_PROXY", f"http://me:hidden@{at}")
        client = jt.Client(f"{scheme}://jobs.invalid", "t", GUID, GUID, attempts=1)
        with client, pytest.raises(jt.JobTrackError, match=told) as raised:
            client.queue()
    assert f"through the proxy http://{at} ({scheme.upper()}_PROXY)" in str(raised.value)
    assert "hidden" not in str(raised.value)
    assert raised.value.transient


def test_a_websocket_on_this_machine_goes_without(monkeypatch: pytest.MonkeyPatch) -> None:
    def speak(connection: ServerConnection) -> None:
        connection.send('{"type": "ping"}')

    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "SOCKS_PROXY"):
        monkeypatch.setenv(name, NOBODY)
    with serve(speak, "127.0.0.1", 0, logger=logging.Logger("quiet", logging.CRITICAL)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        port = server.socket.getsockname()[1]
        assert list(messages(f"ws://127.0.0.1:{port}", None, 5)) == [{"type": "ping"}]


def test_events_are_forwarded_to_this_machine_without(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, NOBODY)
    with answering("204 No Content") as place:
        _forwarder(f"http://{place}/hook", new_secret())(cast(jt.models.Message, {"id": "m"}))
    assert capsys.readouterr().err == f"  -> http://{place}/hook: 204\n"


@pytest.mark.parametrize(
    ("status", "told"), [(None, "[Errno 111] Connection refused"), ("407 Proxy Authentication Required",) * 2]
)
def test_events_that_cannot_be_forwarded_name_the_proxy(
    status: str | None, told: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with answering(status or "204 Nobody asks") as place:
        at = place if status else "127.0.0.1:9"
        monkeypatch.setenv("ALL_PROXY", f"http://me:hidden@{at}")
        _forwarder("http://receiver.invalid", new_secret())(cast(jt.models.Message, {"id": "m"}))
    said = capsys.readouterr().err
    assert said == f"  -> http://receiver.invalid through the proxy http://{at} (ALL_PROXY): {told}\n"


def test_a_receiver_whose_name_cannot_be_looked_up_does_not_end_the_walk(capsys: pytest.CaptureFixture[str]) -> None:
    _forwarder("http://a..b", new_secret())(cast(jt.models.Message, {"id": "m"}))
    assert capsys.readouterr().err.startswith("  -> http://a..b: ")


@pytest.mark.parametrize(
    "url", ["http://[::1", "http://a:99999", "http://", "a.test/hook", "ftp://a.test", "http://\x1b"]
)
def test_events_are_forwarded_to_a_url_only(url: str) -> None:
    with pytest.raises(jt.ConfigurationError, match="--forward-to must be"):
        _forwarder(url, None)


def test_a_websocket_that_fails_names_its_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    with answering("407 Proxy Authentication Required") as place:
        monkeypatch.setenv("HTTPS_PROXY", f"http://me:hidden@{place}")
        with pytest.raises(jt.Unreachable, match="407") as raised:
            list(messages("wss://jobs.invalid/?ticket=secret", None, 5))
    assert f"the proxy http://{place} (HTTPS_PROXY)" in str(raised.value)
    assert "hidden" not in str(raised.value)
    assert "secret" not in str(raised.value)
    monkeypatch.setenv("HTTPS_PROXY", "socks5://127.0.0.1:9")
    with pytest.raises(jt.ConfigurationError, match="python-socks"):
        list(messages("wss://jobs.invalid/", None, 5))


@pytest.mark.parametrize("host", ["a..b", "x" * 64 + ".test"])
def test_a_host_name_that_cannot_be_looked_up(host: str) -> None:
    with (
        jt.Client(f"https://{host}", "token", GUID, GUID) as client,
        pytest.raises(jt.ConfigurationError, match="label"),
    ):
        client.queue()


PROGRAM = """
import logging, httpx
from jobtrack_client import Client
logging.basicConfig(level=logging.DEBUG, format="%(name)s %(message)s")
def token():
    httpx.get(f"{url}/token", trust_env=False)
    return "t"
import os
url = os.environ["JOBTRACK_URL"]
with Client(token=token) as client, client.job("n", job_type="t") as job:
    logging.getLogger("httpx").setLevel(logging.INFO)
    logging.getLogger("httpcore").setLevel(logging.DEBUG)
    job.log("INFO", "hello")
    httpx.get(f"{url}/theirs", trust_env=False)
"""


def test_our_own_requests_are_not_in_the_programs_log() -> None:
    service = Service()
    with serving(service) as server:
        ran = subprocess.run(
            python(PROGRAM), env=environment(server.url), capture_output=True, text=True, timeout=60, check=True
        )
    ours = [line for line in ran.stderr.splitlines() if "/jobs" in line or "POST" in line or "/events" in line]
    assert ours == []
    assert f"httpx HTTP Request: GET {server.url}/theirs" in ran.stderr
    assert f"httpx HTTP Request: GET {server.url}/token" in ran.stderr
    assert "httpcore.connection connect_tcp.started" in ran.stderr
    theirs = sum(request.method == "GET" for request in service.requests)
    assert ran.stderr.count("connect_tcp.started") == theirs
