"""Responses of receivers on raw sockets: the status that was sent is recorded, whatever else is wrong."""

import socket
import ssl
import threading
from collections.abc import Callable

import pytest
from msgspec.structs import replace

from jobtrack import times
from jobtrack.push.delivery.retry_schedule import retry_after_seconds
from jobtrack.push.egress.bounded_socket import RESPONSE_BYTES
from jobtrack.push.egress.guarded_post import Egress, EgressError, Response
from tests.certificates import Certified, certify
from tests.faults import misbehaving
from tests.receivers import Behave, answering, over_tls, post, receiver, request_of

CLOSED = "the connection was closed without a response"
NO_HTTP = "the response is not HTTP"
HUGE_BODY = b"x" * 8_000_000
"""More than the buffers of two sockets hold: the request is still being sent when the response arrives."""

READABLE: dict[str, tuple[int, bytes]] = {
    "HTTP/1.0": (200, b"HTTP/1.0 200 OK\r\n\r\n"),
    "HTTP/1.0 with a body that ends with the connection": (404, b"HTTP/1.0 404 Not Found\r\n\r\nnobody here"),
    "HTTP/2 in words": (200, b"HTTP/2 200\r\n\r\n"),
    "no length": (503, b"HTTP/1.1 503 Busy\r\nContent-Type: text/plain\r\n\r\nlater"),
    "no reason": (200, b"HTTP/1.1 200\r\n\r\n"),
    "no reason but a space": (200, b"HTTP/1.1 200 \r\n\r\n"),
    "a reason that is no ASCII": (500, "HTTP/1.1 500 内部エラー\r\n\r\n".encode()),
    "a reason that is no UTF-8": (500, b"HTTP/1.1 500 \xff\xfe\r\n\r\n"),
    "two spaces": (200, b"HTTP/1.1  200 OK\r\n\r\n"),
    "a small name": (200, b"http/1.1 200 OK\r\n\r\n"),
    "LF only": (429, b"HTTP/1.1 429 Slow down\nContent-Length: 0\n\n"),
    "LF only, cut": (429, b"HTTP/1.1 429 Slow down\n"),
    "no line end at all": (200, b"HTTP/1.1 200 OK"),
    "a blank line before": (200, b"\r\n\r\nHTTP/1.1 200 OK\r\n\r\n"),
    "no headers and no end of them": (202, b"HTTP/1.1 202 Accepted\r\n"),
    "100 headers": (200, b"HTTP/1.1 200 OK\r\n" + b"X-Header: y\r\n" * 100 + b"\r\n"),
    "1000 headers": (200, b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 1000 + b"\r\n"),
    "10000 headers": (500, b"HTTP/1.1 500 Oh\r\n" + b"a: b\r\n" * 10_000 + b"\r\n"),
    "a header of 70 KB": (200, b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70_000 + b"\r\n\r\n"),
    "a reason of 70 KB": (502, b"HTTP/1.1 502 " + b"x" * 70_000 + b"\r\n\r\n"),
    "a folded header": (200, b"HTTP/1.1 200 OK\r\nX: a\r\n b\r\n\tc\r\nContent-Length: 0\r\n\r\n"),
    "a fold before any header": (200, b"HTTP/1.1 200 OK\r\n folded\r\n\r\n"),
    "a header without a colon": (200, b"HTTP/1.1 200 OK\r\nnonsense\r\n\r\n"),
    "a header without a name": (200, b"HTTP/1.1 200 OK\r\n: value\r\n\r\n"),
    "a header of control characters": (200, b"HTTP/1.1 200 OK\r\nX: \x00\x01\x1b[2J\r\n\r\n"),
    "two lengths": (200, b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 50\r\n\r\nx"),
    "a length and chunks": (
        200,
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ),
    "a length that is too long": (200, b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nshort"),
    "a length that is too short": (201, b"HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\nlonger than said"),
    "a length that is huge": (200, b"HTTP/1.1 200 OK\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n"),
    "a length that is no number": (200, b"HTTP/1.1 200 OK\r\nContent-Length: \xb2\r\n\r\n"),
    "a negative length": (200, b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n"),
    "chunks": (200, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"),
    "bad chunks": (200, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nok\r\n"),
    "an endless chunk size": (200, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"f" * 30_000),
    "204 with a body": (204, b"HTTP/1.1 204 No Content\r\nContent-Length: 4\r\n\r\nbody"),
    "304": (304, b"HTTP/1.1 304 Not Modified\r\nContent-Length: 4\r\n\r\n"),
    "a wrong encoding": (200, b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nraw"),
    "after 100": (200, b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n"),
    "after 100 with headers": (401, b"HTTP/1.1 100 Continue\r\nX: y\r\n\r\nHTTP/1.1 401 No\r\n\r\n"),
    "after 102 and 103": (410, b"HTTP/1.1 102 P\r\n\r\nHTTP/1.1 103 E\r\nLink: </a>\r\n\r\nHTTP/1.1 410 Gone\r\n\r\n"),
    "after 199": (200, b"HTTP/1.1 199 Odd\r\n\r\nHTTP/1.1 200 OK\r\n\r\n"),
    "101 is final": (101, b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n"),
    "a redirect": (302, b"HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\n\r\n"),
    "600": (600, b"HTTP/1.1 600 Odd\r\n\r\n"),
    "999": (999, b"HTTP/1.1 999 Request denied\r\n\r\n"),
}

UNREADABLE: dict[str, tuple[str, bytes]] = {
    "nothing": (CLOSED, b""),
    "a blank line": (CLOSED, b"\r\n"),
    "only 100": ("the connection was closed after an interim response (100)", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "only half of 103": ("the connection was closed after an interim response (103)", b"HTTP/1.1 103 Early\r\nLink: <"),
    "HTTP/0.9": (NO_HTTP, b"<html>fine</html>\n"),
    "another protocol": (NO_HTTP, b"SSH-2.0-OpenSSH_9\r\n"),
    "a status of two digits": (NO_HTTP, b"HTTP/1.1 99 Odd\r\n\r\n"),
    "a status of four digits": (NO_HTTP, b"HTTP/1.1 2000 OK\r\n\r\n"),
    "a status of letters": (NO_HTTP, b"HTTP/1.1 abc\r\n\r\n"),
    "a negative status": (NO_HTTP, b"HTTP/1.1 -200 OK\r\n\r\n"),
    "status 000": (NO_HTTP, b"HTTP/1.1 000 Odd\r\n\r\n"),
    "half a status": (NO_HTTP, b"HTTP/1.1 20"),
    "no version": (NO_HTTP, b"HTTP 200 OK\r\n\r\n"),
    "zeros": (NO_HTTP, b"\x00" * 100_000),
    "blank lines without end": (NO_HTTP, b"\r\n" * 50_000),
    "a TLS record": (NO_HTTP, b"\x15\x03\x01\x00\x02\x02\x46"),
}

RETRY_AFTER: dict[str, tuple[float | None, bytes]] = {
    "seconds": (120, b"120"),
    "more than a day": (9_999_999_999, b"9" * 400),
    "negative": (None, b"-5"),
    "a float": (None, b"1.5"),
    "an exponent": (None, b"1e9"),
    "infinity": (None, b"inf"),
    "empty": (None, b""),
    "Arabic digits": (None, "٣".encode()),
    "no text": (None, b"\xff\xfe\x00"),
    "words": (None, b"soon"),
    "a year of eleven digits": (None, b"Mon, 01 Jan 99999999999 00:00:00 GMT"),
    "the year 0": (None, b"Mon, 01 Jan 0000 00:00:00 GMT"),
    "the year 1": (None, b"Mon, 01 Jan 0001 00:00:00 +2359"),
    "the day 99": (None, b"Mon, 99 Jan 2026 00:00:00 GMT"),
    "a zone of weeks": (None, b"Mon, 01 Jan 2026 00:00:00 +9999999999999"),
    "RFC 850": (60, b"Tuesday, 14-Nov-23 22:14:20 GMT"),
    "asctime": (60, b"Tue Nov 14 22:14:20 2023"),
    "IMF-fixdate": (60, b"Tue, 14 Nov 2023 22:14:20 GMT"),
    "folded": (120, b"\r\n 120"),
    "several": (120, b"120\r\nRetry-After: soon"),
}
NOW = times.parse("2023-11-14T22:13:20Z")


def posted(behave: Behave, body: bytes = b"{}", seconds: float = 5) -> Response:
    with receiver(behave) as target:
        return post(Egress(allow_loopback=True, seconds=seconds), target, {}, body)


@pytest.mark.parametrize(("status", "answer"), READABLE.values(), ids=READABLE)
def test_a_readable_status_line_counts(status: int, answer: bytes) -> None:
    assert posted(answering(answer)).status == status


@pytest.mark.parametrize(("cause", "answer"), UNREADABLE.values(), ids=UNREADABLE)
def test_without_one_the_cause_is_named(cause: str, answer: bytes) -> None:
    with pytest.raises(EgressError) as failed:
        posted(answering(answer))
    assert str(failed.value).startswith(cause)


@pytest.mark.parametrize(("seconds", "header"), RETRY_AFTER.values(), ids=RETRY_AFTER)
def test_the_status_is_recorded_for_any_retry_after(seconds: float | None, header: bytes) -> None:
    answer = posted(answering(b"HTTP/1.1 503 Busy\r\nRetry-After: " + header + b"\r\n\r\n"))
    assert answer.status == 503
    asked = retry_after_seconds(answer.retry_after, NOW)
    assert asked == seconds or (seconds is None and asked == 0)


def test_a_retry_after_beyond_what_is_read_is_none() -> None:
    late = b"HTTP/1.1 429 Slow\r\n" + b"a: b\r\n" * RESPONSE_BYTES + b"Retry-After: 7\r\n\r\n"
    assert posted(answering(late)) == Response(429, None)


BROKEN_OFF: dict[str, tuple[int, Behave]] = {
    "reset in the body": (200, misbehaving.reset_within_the_body),
    "kept open after all of it": (200, misbehaving.hang_after(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")),
    "hangs in the body": (200, misbehaving.hang_after(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nx")),
    "hangs in the headers": (503, misbehaving.hang_after(b"HTTP/1.1 503 Busy\r\nX: y")),
    "reset in the headers": (503, misbehaving.reset_after(b"HTTP/1.1 503 Busy\r\nX: y")),
    "reset after the status line": (503, misbehaving.reset_after(b"HTTP/1.1 503 Busy\r\n")),
}


@pytest.mark.parametrize(("status", "behave"), BROKEN_OFF.values(), ids=BROKEN_OFF)
def test_what_breaks_off_after_the_status_line_has_that_status(status: int, behave: Behave) -> None:
    assert posted(behave, seconds=1.5).status == status


EARLY: dict[str, Callable[[bytes], Behave]] = {
    "closes unread": misbehaving.answer_unread,
    "resets": misbehaving.answer_and_reset,
    "hangs": misbehaving.answer_and_hang,
}


@pytest.mark.parametrize("status", [401, 413])
@pytest.mark.parametrize("body", [b"{}" * 40_000, HUGE_BODY], ids=["80 KB", "8 MB"])
@pytest.mark.parametrize("early", EARLY.values(), ids=EARLY)
def test_an_answer_before_the_body_was_read_counts(early: Callable[[bytes], Behave], body: bytes, status: int) -> None:
    answer = f"HTTP/1.1 {status} No\r\nRetry-After: 9\r\nContent-Length: 0\r\n\r\n".encode()
    assert posted(early(answer), body, seconds=1.5) == Response(status, "9")


@pytest.fixture(scope="module")
def certified(tmp_path_factory: pytest.TempPathFactory) -> Certified:
    return certify(tmp_path_factory.mktemp("tls"), "hook.example")


@pytest.mark.parametrize("early", EARLY.values(), ids=EARLY)
def test_an_early_answer_over_tls_counts(early: Callable[[bytes], Behave], certified: Certified) -> None:
    answer = b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n"
    with receiver(over_tls(certified.server, early(answer))) as target:
        trusting = Egress(
            True, lambda host, port: ["127.0.0.1"], ssl.create_default_context(cafile=certified.authority), 1.5
        )
        assert post(trusting, replace(target, tls=True, host="hook.example"), {}, HUGE_BODY).status == 413


def test_a_receiver_that_goes_away_while_we_send_is_named() -> None:
    with pytest.raises(EgressError, match="the connection was reset before the request was sent"):
        posted(misbehaving.answer_and_reset(b""), HUGE_BODY)


def test_bytes_that_come_one_by_one_are_read() -> None:
    def behave(connected: socket.socket, over: threading.Event) -> None:
        request_of(connected)
        for byte in b"HTTP/1.1 418 Teapot\r\nRetry-After: 5\r\n\r\n":
            connected.sendall(bytes([byte]))

    assert posted(behave) == Response(418, "5")
