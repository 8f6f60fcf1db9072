"""The local service returns no 5xx and leaves no client waiting, whatever the method, path, headers or bytes."""

import itertools
import random
import socket
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jobtrack_local.profile import PROJECT, TENANT
from tests.e2e.running import Service

pytestmark = [
    pytest.mark.not_deployed("is about the web server of jobtrack serve"),
    pytest.mark.one_engine("sqlite", "no engine is asked before the web server has read the request"),
]
PATIENCE_SECONDS = 30
API = f"/api/{TENANT}/{PROJECT}/execution"
METHODS = (
    "GET",
    "HEAD",
    "OPTIONS",
    "TRACE",
    "CONNECT",
    "PUT",
    "DELETE",
    "PATCH",
    "POST",
    "BREW",
    "get",
    "Post",
    "M-SEARCH",
)
PATHS = (
    *("/", "/index.html", "/app.js", "/app.js/", "/vendor", "/vendor/", "/views/job.js", "/config.json", "/%61pp.js"),
    *("/health", "/health/", "/docs", "/docs/", "/docs/page.js", "/docs/..", "/openapi.json", "/websocket", "/page"),
    *("/page/codes", "/page/sessions", "/page/codes/", "/page/%63odes", "/@connections/x", "/x/@connections/y"),
    *(
        "//",
        "//evil.example/",
        "/..",
        "/../../etc/passwd",
        "/%2e%2e/x",
        "/..%5cx",
        "/%00",
        "/%ff",
        "/%",
        "/%zz",
        "/%c0%ae",
    ),
    *(
        "*",
        "x",
        "?",
        "http://evil.example/",
        "http://127.0.0.1/health",
        "http://[",
        "evil.example:443",
        "/?" + "q" * 9000,
    ),
    *("/" + "a" * 20_000, "/" + "a/" * 9000, f"{API}/jobs", f"{API}/jobs?limit=%ff", f"{API}/jobs?{'a=1&' * 2000}"),
    *(
        f"{API}/job/%00",
        f"{API}/job/{PROJECT}/logs?cursor=%00",
        f"{API}/worker/%ff",
        f"{API}/subscription/{'x' * 3000}",
    ),
    *(f"{API}/tracking/batch?jobIds=%00,%ff", "/api/%2f/%5c/execution/jobs", "/api/a/b/execution/job/%2e%2e/events"),
)
HEADERS = (
    *(
        "",
        "X: \xff\xfe",
        "X: " + "a" * 20_000,
        "\r\n".join(f"X{at}: 1" for at in range(300)),
        "X : 1",
        "X",
        ": 1",
        "X: a\r\n b",
    ),
    *(
        "Host: evil.example",
        "Content-Length: -1",
        "Content-Length: 9" + "9" * 30,
        "Content-Length: 1, 2",
        "Content-Length: ３",
    ),
    *("Transfer-Encoding: gzip", "Transfer-Encoding: chunked\r\nContent-Length: 3", "Transfer-Encoding: , chunked"),
    *("Connection: upgrade\r\nUpgrade: h2c", "Connection: Upgrade\r\nUpgrade: websocket", "Expect: 200-ok", "TE: \0"),
    *(
        "Authorization: \xff",
        "Authorization: Bearer \xe9.\xe9.\xe9",
        "Authorization: Bearer " + "x" * 20_000,
        "Authorization: a b c",
    ),
    *(
        "Accept-Language: \xff;q=zz",
        "Accept-Language: " + "a," * 5000,
        "If-None-Match: \xff",
        "If-Modified-Since: \xff",
    ),
    *("Range: bytes=9999999-", "Range: bytes=-", "Range: bytes=5-2,x", "If-Range: x\r\nRange: bytes=0-1"),
    *("Content-Type: \xff", "Content-Encoding: gzip", "Idempotency-Key: \xff", "Origin: \xff", "Cookie: \0"),
)
KEY = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="
HANDSHAKE = f"Connection: Upgrade\r\nUpgrade: websocket\r\n{KEY}\r\nSec-WebSocket-Version: 13"
HANDSHAKES = (
    *(HANDSHAKE, HANDSHAKE.replace("13", "99"), HANDSHAKE.replace("13", "x"), HANDSHAKE.replace("dGhl", "")),
    *(HANDSHAKE.replace("dGhl", "\xff"), f"{HANDSHAKE}\r\n{KEY}"),
    *(
        HANDSHAKE + "\r\nOrigin: ",
        HANDSHAKE + "\r\nSec-WebSocket-Protocol: ,;",
        HANDSHAKE + "\r\nSec-WebSocket-Extensions: ;",
    ),
    *(
        HANDSHAKE + "\r\nX: " + "a" * 9000,
        HANDSHAKE + "\r\nX: \xff",
        HANDSHAKE + "\r\n" + "\r\n".join("X: 1" for _ in range(300)),
    ),
    *(HANDSHAKE + "\r\nContent-Length: 2", HANDSHAKE + "\r\nTransfer-Encoding: chunked", HANDSHAKE + "\r\nX: a\r\n b"),
)
BODIES = ("", "{}", "[]", "null", "\xff", '"\\ud800"', "[" * 3000, "5\r\nhello\r\n0\r\n\r\n", "ZZ\r\n", "1e999")

Ask = Callable[[str], str]


@pytest.fixture(scope="module")
def ask(service: Service) -> Ask:
    port = urlsplit(service.url).port

    def exchange(request: str) -> str:
        """Return the first line of the response, or nothing if the connection closes without one."""
        with socket.create_connection(("127.0.0.1", port), PATIENCE_SECONDS) as client:
            came = b""
            try:
                client.sendall(request.encode("latin-1", "replace"))
                while b"\r\n" not in came and (part := client.recv(65536)):
                    came += part
            except ConnectionError:
                pass  # the service need not read what it refuses
            return came.partition(b"\r\n")[0].decode("latin-1")

    return exchange


def request(method: str, path: str, *headers: str, body: str = "", version: str = "HTTP/1.1") -> str:
    lines = [f"{method} {path} {version}", "Host: 127.0.0.1", *filter(None, headers)]
    if not any("content-length" in line.lower() or "transfer-encoding" in line.lower() for line in lines):
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", body])


def served(status: str) -> bool:
    """Whether this is a response of HTTP/1.1 without a server error."""
    return status.startswith("HTTP/1.1 ") and status.split()[1][0] in "1234"


def test_every_method_on_every_path(ask: Ask) -> None:
    answers = {(method, path): ask(request(method, path)) for method in METHODS for path in PATHS}
    assert not {each: status for each, status in answers.items() if not served(status)}


def test_every_header_with_every_body_and_version(service: Service, ask: Ask) -> None:
    token = f"Authorization: Bearer {service.token(TENANT)}"
    asked = [
        request(method, path, header, token, "Content-Type: application/json", body=body, version=version)
        for (method, path), header, version in itertools.product(
            [("GET", "/app.js"), ("POST", f"{API}/jobs"), ("POST", "/page/codes")], HEADERS, ["HTTP/1.0", "HTTP/1.1"]
        )
        for body in random.Random(header).sample(BODIES, 2)
        # A client that sends less than it announced is dropped after a minute (tests/faults/test_connections.py).
        if not (header.startswith("Transfer") and version == "HTTP/1.1" and not body)
    ]
    answers = {each: ask(each + "\r\n" * 9) for each in asked}
    assert not {each: status for each, status in answers.items() if not served(status)}


@pytest.mark.parametrize(
    "path", ["/websocket", "/", "/health", f"{API}/jobs", "/websocket?ticket=%ff%00", "/" + "a" * 9000]
)
def test_every_handshake(ask: Ask, path: str) -> None:
    asked = [request(method, path, each) for each in HANDSHAKES for method in ("GET", "POST", "HEAD")]
    answers = {each: ask(each) for each in asked}
    assert not {each: status for each, status in answers.items() if not served(status)}


@pytest.mark.parametrize(
    "sent",
    [
        *("GET /\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", "GET / HTTP/1.1\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
        *("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", "\0" * 100 + "\r\n\r\n", "\r\n" * 50 + "x\r\n\r\n"),
        *("GET  / HTTP/1.1\r\n\r\n", "G\xffT / HTTP/1.1\r\n\r\n", "GET /\xff HTTP/1.1\r\nHost: a\r\n\r\n", " \r\n\r\n"),
        *("x" * 70_000, "GET /" + "x" * 70_000, "GET / HTTP/1.1\r\nX: " + "x" * 70_000),
    ],
)
def test_what_is_no_request(ask: Ask, sent: str) -> None:
    assert served(ask(sent))


WORDS = st.sampled_from([*METHODS, *PATHS, *HEADERS, *HANDSHAKES, *BODIES, " ", "\r\n", "HTTP/1.1", ":", "Host: x"])


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(WORDS | st.text(st.characters(max_codepoint=255), max_size=20), max_size=12))
def test_any_bytes_at_all(ask: Ask, words: list[str]) -> None:
    status = ask("".join(words) + "\r\n\r\n" + "\0\r\n\r\n")
    assert served(status) or not status


def test_head_is_get_without_its_body(service: Service, ask: Ask) -> None:
    for path in ("/", "/app.js", "/health", "/openapi.json", f"{API}/jobs", "/nothing"):
        token = f"Authorization: Bearer {service.token(TENANT)}"
        assert ask(request("HEAD", path, token)) == ask(request("GET", path, token))
