"""Reading a receiver's response: the status line is enough, whatever follows it.

`http.client` is not used: it raises an error for 100 headers, a line of 64 KiB or a broken chunk, although the status
was read.
"""

import re
from collections.abc import Sequence
from contextlib import suppress
from http import HTTPStatus

from msgspec import Struct

from jobtrack.push.egress.bounded_socket import RESPONSE_BYTES, BoundedSocket

REST_SECONDS = 1.0
"""How long the rest of a response is read, so that the receiver does not see a reset connection."""

_STATUS_LINE = re.compile(rb"HTTP/[0-9]+(?:\.[0-9]+)?[ \t]+([1-9][0-9]{2})(?![0-9])", re.IGNORECASE)
_WITHOUT_BODY = {HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED}


class NoResponse(Exception):
    """There is no final status; the text gives the reason."""


class ResponseHead(Struct, frozen=True):
    """The status and the headers that could be read; their names are in lower case."""

    status: int
    headers: Sequence[tuple[str, str]]

    def header(self, name: str) -> str | None:
        """Return the first header of a name (lower case)."""
        return next((value for header, value in self.headers if header == name), None)


def read_response(wire: BoundedSocket) -> ResponseHead:
    """Read the final status and its headers, and read the rest for a moment.

    Raises:
        NoResponse: there is no final status.
        OSError: the connection failed, or timed out, before there was one.
    """
    lines = _Lines(wire)
    head = _final_head(lines)
    wire.shorten(REST_SECONDS)
    with suppress(OSError, ValueError):  # the status is known, so errors in the rest do not matter
        _drain(wire, head, lines.rest)
    return head


class _Lines:
    """A response line by line; `rest` was received after the last line that was read."""

    def __init__(self, wire: BoundedSocket) -> None:
        self._wire = wire
        self.rest = b""

    def next(self) -> bytes | None:
        """Return the next line without its LF or CRLF; None at the end of the response."""
        while b"\n" not in self.rest and (part := self._wire.receive()):
            self.rest += part
        line, _, rest = self.rest.partition(b"\n")
        ended = not self.rest
        self.rest = rest
        return None if ended else line.removesuffix(b"\r")

    @property
    def full(self) -> bool:
        """Whether the response was read up to its size limit."""
        return self._wire.full


def _final_head(lines: _Lines) -> ResponseHead:
    """Skip the interim responses (1xx) before the final one."""
    interim: int | None = None
    while True:
        status = _status(lines, interim)
        headers = _headers(lines)
        if status >= HTTPStatus.OK or status == HTTPStatus.SWITCHING_PROTOCOLS:
            return ResponseHead(status, headers)
        interim = status


def _status(lines: _Lines, interim: int | None) -> int:
    line = lines.next()
    while line == b"":
        line = lines.next()
    if match := _STATUS_LINE.match(line or b""):
        return int(match[1])
    raise NoResponse(_describe_missing_status(line, interim, lines.full))


def _describe_missing_status(line: bytes | None, interim: int | None, full: bool) -> str:
    """Return why there is no final status."""
    if interim is not None and full:
        return f"no final status within {RESPONSE_BYTES // 1024} KB, only interim responses ({interim})"
    if line is not None or full:
        return "the response is not HTTP: it has no readable status line"
    after = "without a response" if interim is None else f"after an interim response ({interim})"
    return f"the connection was closed {after}"


def _headers(lines: _Lines) -> list[tuple[str, str]]:
    """Return the headers up to the empty line, or as many as were received if the connection fails."""
    headers: list[tuple[str, str]] = []
    with suppress(OSError):
        while line := lines.next():
            text = line.decode("latin-1")
            if text[0] in " \t" and headers:  # continues the previous line, an obsolete form
                name, value = headers.pop()
                headers.append((name, f"{value} {text.strip()}".strip()))
            else:
                name, _, value = text.partition(":")
                headers.append((name.strip().lower(), value.strip()))
    return headers


def _drain(wire: BoundedSocket, head: ResponseHead, body: bytes) -> None:
    while not _is_whole(head, body) and (part := wire.receive()):
        body += part


def _is_whole(head: ResponseHead, body: bytes) -> bool:
    """Return whether the body is complete by its headers. Without such headers, it ends with the connection."""
    if head.status in _WITHOUT_BODY:
        return True
    if "chunked" in (head.header("transfer-encoding") or "").lower():
        return body.endswith(b"0\r\n\r\n")
    length = head.header("content-length")
    return length is not None and len(body) >= int(length)
