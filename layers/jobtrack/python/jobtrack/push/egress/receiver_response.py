"""Reading a receiver's answer: its status counts as soon as the status line is there, whatever follows it.

`http.client` does not do: it raises for 100 headers, a line of 64 KiB or a broken chunk, after the status was read.
"""

import re
from collections.abc import Sequence
from contextlib import suppress
from http import HTTPStatus

from msgspec import Struct

from jobtrack.push.egress.bounded_socket import ANSWER_BYTES, BoundedSocket

COURTESY_SECONDS = 1.0
"""How long the rest of an answer is awaited, so that a receiver sees its answer taken rather than cut off."""

_STATUS_LINE = re.compile(rb"HTTP/[0-9]+(?:\.[0-9]+)?[ \t]+([1-9][0-9]{2})(?![0-9])", re.IGNORECASE)
_WITHOUT_BODY = {HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED}


class NoResponse(Exception):
    """What came has no final status; the text says why."""


class ResponseHead(Struct, frozen=True):
    """A status and the headers that could be read, their names in lower case."""

    status: int
    headers: Sequence[tuple[str, str]]

    def header(self, name: str) -> str | None:
        """The first header of that name."""
        return next((value for each, value in self.headers if each == name), None)


def read_response(wire: BoundedSocket) -> ResponseHead:
    """Read the final status and its headers, and wait a moment for the rest.

    Raises:
        NoResponse: there is no final status.
        OSError: the connection failed, or the time was over, before there was one.
    """
    lines = _Lines(wire)
    head = _final_head(lines)
    wire.shorten(COURTESY_SECONDS)
    with suppress(OSError, ValueError):  # the status is known, whatever becomes of the rest
        _drain(wire, head, lines.rest)
    return head


class _Lines:
    """An answer line by line; `rest` is what was received beyond the last line that was read."""

    def __init__(self, wire: BoundedSocket) -> None:
        self._wire = wire
        self.rest = b""

    def next(self) -> bytes | None:
        """The next line without its end, LF or CRLF; None at the end of the answer."""
        while b"\n" not in self.rest and (part := self._wire.receive()):
            self.rest += part
        line, _, rest = self.rest.partition(b"\n")
        ended = not self.rest
        self.rest = rest
        return None if ended else line.removesuffix(b"\r")

    @property
    def full(self) -> bool:
        """Whether as much was read as is read of an answer."""
        return self._wire.full


def _final_head(lines: _Lines) -> ResponseHead:
    """Pass over answers that only announce the final one: 100, 102, 103 and the like."""
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
    if found := _STATUS_LINE.match(line or b""):
        return int(found[1])
    raise NoResponse(_fault(line, interim, lines.full))


def _fault(line: bytes | None, interim: int | None, full: bool) -> str:
    """Why there is no final status."""
    if interim is not None and full:
        return f"no final status within {ANSWER_BYTES // 1024} KB, only interim answers ({interim})"
    if line is not None or full:
        return "the answer is not HTTP: it has no readable status line"
    after = "without an answer" if interim is None else f"after an interim answer ({interim})"
    return f"the connection was closed {after}"


def _headers(lines: _Lines) -> list[tuple[str, str]]:
    """The headers up to the empty line, or to where they break off."""
    headers: list[tuple[str, str]] = []
    with suppress(OSError):
        while line := lines.next():
            text = line.decode("latin-1")
            if text[0] in " \t" and headers:  # continues the line before, an obsolete form
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
    """Whether nothing more belongs to the answer, as far as it says so; else its end is that of the connection."""
    if head.status in _WITHOUT_BODY:
        return True
    if "chunked" in (head.header("transfer-encoding") or "").lower():
        return body.endswith(b"0\r\n\r\n")
    length = head.header("content-length")
    return length is not None and len(body) >= int(length)
