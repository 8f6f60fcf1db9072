"""Closes connections whose clients make no progress.

uvicorn's `timeout_keep_alive` applies only between two requests, and ends with the first byte. This module checks every
connection repeatedly, and closes a connection that stays in one phase for longer than the phase's timeout.
"""

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from jobtrack_local.gateway.http_protocol import HttpProtocol

if TYPE_CHECKING:
    from uvicorn.server import Protocols

KEEP_ALIVE_SECONDS = 75


class Phase(Enum):
    """The client's action that a connection waits for."""

    FIRST_REQUEST = "the first request"
    NEXT_REQUEST = "the next request"
    HEAD = "the rest of a request's head"
    BODY = "the rest of a request's body"
    READING = "that the client reads"
    CLOSING = "that the client confirms the end"


SECONDS = {
    Phase.FIRST_REQUEST: 20,
    Phase.NEXT_REQUEST: KEEP_ALIVE_SECONDS,
    Phase.HEAD: 20,
    Phase.BODY: 60,
    Phase.READING: 60,  # the kernel buffers megabytes, and accepts more only when the client has read much of it
    Phase.CLOSING: 10,
}
"""The timeout of each phase, in seconds."""

_TIMED_OUT = b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


@dataclass(frozen=True)
class _Wait:
    """A phase of one request, its start, and the number of bytes that the client has not read yet."""

    phase: Phase
    cycle: object
    since: float
    unread: int

    def goes_on_in(self, other: "_Wait") -> bool:
        return self.phase is other.phase and self.cycle is other.cycle and self.unread <= other.unread


class Deadlines:
    """Records since when each connection waits, and closes connections that wait too long."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._waits: dict[Protocols, _Wait] = {}

    def enforce(self, connections: "Collection[Protocols]") -> None:
        """Close connections that have waited too long. Call this about once a second with all open connections."""
        before, self._waits = self._waits, {}
        for connection in list(connections):
            if phase := phase_of(connection):
                wait = self._waits[connection] = self._wait(connection, phase, before.get(connection))
                if self._clock() - wait.since >= SECONDS[phase]:
                    _end(connection, phase)

    def _wait(self, connection: "Protocols", phase: Phase, before: _Wait | None) -> _Wait:
        """Return the wait of the last call if it continues, or a new one."""
        now = _Wait(phase, _cycle(connection), self._clock(), connection.transport.get_write_buffer_size())
        return replace(now, since=before.since) if before and before.goes_on_in(now) else now


def phase_of(connection: "Protocols") -> Phase | None:
    """Return the connection's phase, or None if it does not wait for its client."""
    if connection.transport.get_write_buffer_size():
        return Phase.READING
    if connection.transport.is_closing():
        return Phase.CLOSING
    if isinstance(connection, HttpProtocol):
        return _http_phase(connection)
    if isinstance(connection, WebSocketsSansIOProtocol) and not connection.handshake_initiated:
        return Phase.HEAD
    return None


def idle(connection: "Protocols") -> bool:
    """Return whether the connection is between two requests."""
    return phase_of(connection) is Phase.NEXT_REQUEST


def _http_phase(connection: HttpProtocol) -> Phase | None:
    if connection.receives_body and not connection.flow.read_paused:  # if paused, the application has to read first
        return Phase.BODY
    if connection.responds:
        return None
    if connection.receives_head:
        return Phase.HEAD
    return Phase.FIRST_REQUEST if connection.responding is None else Phase.NEXT_REQUEST


def _cycle(connection: "Protocols") -> object:
    return connection.responding if isinstance(connection, HttpProtocol) else None


def _end(connection: "Protocols", phase: Phase) -> None:
    """Close the connection, with a 408 if a request has begun (RFC 9110, 15.5.9). Abort if the client does not read."""
    if phase in (Phase.READING, Phase.CLOSING):
        connection.transport.abort()
        return
    if isinstance(connection, HttpProtocol) and phase in (Phase.HEAD, Phase.BODY):
        _time_out(connection)
    connection.transport.close()


def _time_out(connection: HttpProtocol) -> None:
    if connection.may_refuse:
        connection.discard_response()
        connection.transport.write(_TIMED_OUT)
