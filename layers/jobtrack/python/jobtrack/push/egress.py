"""One guarded POST to an address that a tenant chose: it reaches public hosts only, and ends within its deadline.

The name is resolved once, every answer is checked, and the connection is made to a checked address, so that a second
look-up cannot lead elsewhere. No redirect, no proxy, no decompression.
"""

import io
import ipaddress
import socket
import ssl
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException, HTTPResponse
from typing import TYPE_CHECKING

from jobtrack.classes import frozen
from jobtrack.push.addresses import is_loopback, is_public
from jobtrack.push.lookup import Resolve, resolve, resolve_within
from jobtrack.push.urls import Target

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

DEADLINE_SECONDS = 10.0
ANSWER_BYTES = 16 * 1024
ADDRESSES = 4
"""How many addresses of a host are tried until one takes the connection."""
COURTESY_SECONDS = 1.0
"""How long the rest of an answer is awaited, so that a receiver sees its answer taken rather than cut off."""

Clock = Callable[[], float]


class EgressError(Exception):
    """No answer came, or none may be fetched; the text says why and names no address."""


@frozen
class Answer:
    """What the receiver said."""

    status: int
    retry_after: str | None = None


def _ready() -> None:
    """Nobody objects to the sending."""


class Egress:
    """Sends; keeps nothing between requests but the TLS settings."""

    def __init__(
        self,
        allow_loopback: bool = False,
        resolve: Resolve = resolve,
        tls: ssl.SSLContext | None = None,
        seconds: float = DEADLINE_SECONDS,
        clock: Clock = time.monotonic,
    ) -> None:
        self._allow_loopback = allow_loopback
        self._resolve = resolve
        self._tls = tls
        self._seconds = seconds
        self._clock = clock

    def post(
        self, target: Target, headers: Mapping[str, str], body: bytes, ready: Callable[[], None] = _ready
    ) -> Answer:
        """POST the body and give the receiver's answer, whatever its status.

        `ready` is called when the connection stands, right before the first byte is sent; what it raises ends it.

        Raises:
            EgressError: the host is not public, cannot be reached, or has not answered within the deadline.
        """
        deadline = self._clock() + self._seconds
        with self._explained():
            connected = self._connect(target, deadline)
        with connected:
            ready()
            with self._explained():
                return self._exchange(_Wire(connected, deadline, self._clock), target, headers, body)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except TimeoutError as error:
            raise EgressError(f"no answer within {self._seconds:g} seconds") from error
        except ssl.SSLError as error:
            raise EgressError(f"TLS failed: {error.reason or 'connection closed'}") from error
        except (OSError, HTTPException, UnicodeError, ValueError) as error:
            raise EgressError(_reason(error)) from error

    def _exchange(self, wire: "_Wire", target: Target, headers: Mapping[str, str], body: bytes) -> Answer:
        connection = HTTPConnection(target.host, target.port)
        connection.auto_open = 0
        connection.sock = wire  # it has what http.client uses of a socket
        connection.request("POST", target.path, body, {"host": target.authority, "connection": "close", **headers})
        response = _final(connection.getresponse())
        wire.shorten(COURTESY_SECONDS)
        _drain(response)
        return Answer(response.status, response.getheader("retry-after"))

    def _connect(self, target: Target, deadline: float) -> socket.socket:
        addresses = self._checked(target, deadline)[:ADDRESSES]
        for later in range(len(addresses) - 1, 0, -1):
            try:
                return self._open(addresses[-1 - later], target, deadline, 1 / (later + 1))
            except OSError:
                continue
        return self._open(addresses[-1], target, deadline)

    def _open(self, address: str, target: Target, deadline: float, share: float = 1.0) -> socket.socket:
        connected = socket.create_connection((address, target.port), _remaining(deadline, self._clock) * share)
        if not target.tls:
            return connected
        try:
            connected.settimeout(_remaining(deadline, self._clock))
            return self._context().wrap_socket(connected, server_hostname=target.host)
        except BaseException:
            connected.close()
            raise

    def _context(self) -> ssl.SSLContext:
        """Made when first needed: reading the certificate authorities takes a quarter of what importing boto3 does."""
        if self._tls is None:
            self._tls = ssl.create_default_context()
        return self._tls

    def _checked(self, target: Target, deadline: float) -> Sequence[str]:
        left = _remaining(deadline, self._clock)
        addresses = resolve_within(left, self._resolve, target.host, target.port)
        allowed = [address for address in addresses if self._allowed(address, target)]
        if not addresses or len(allowed) != len(addresses):
            raise EgressError("the host does not lead to public addresses only")
        return allowed

    def _allowed(self, address: str, target: Target) -> bool:
        ip = ipaddress.ip_address(address)
        return (self._allow_loopback and is_loopback(ip)) or (target.tls and is_public(ip))


class _Wire:
    """A socket as http.client sees it, which bounds the whole exchange in time and the answer in size.

    The time-out of a socket bounds each read, not their sum: a receiver that drips would hold it for ever.
    """

    def __init__(self, connected: socket.socket, deadline: float, clock: Clock) -> None:
        self._socket = connected
        self._deadline = deadline
        self._clock = clock
        self._left = ANSWER_BYTES

    def shorten(self, seconds: float) -> None:
        """Leave at most so many seconds for what is still to be read."""
        self._deadline = min(self._deadline, self._clock() + seconds)

    def sendall(self, data: bytes) -> None:
        """Send all of the data before the deadline."""
        rest = memoryview(data)
        while rest:
            self._socket.settimeout(_remaining(self._deadline, self._clock))
            rest = rest[self._socket.send(rest) :]

    def receive(self, buffer: memoryview) -> int:
        """Read what is there; 0 at the end of the answer, or of what is taken of it."""
        self._socket.settimeout(_remaining(self._deadline, self._clock))
        count = self._socket.recv_into(buffer[: self._left]) if self._left else 0
        self._left -= count
        return count

    def makefile(self, mode: str) -> io.BufferedReader:
        """The answer, as a file."""
        return io.BufferedReader(_Receiver(self), 2048)

    def close(self) -> None:
        """Nothing: who opened the socket closes it."""


class _Receiver(io.RawIOBase):
    def __init__(self, wire: _Wire) -> None:
        self._wire = wire

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int:
        return self._wire.receive(memoryview(buffer))


def _remaining(deadline: float, clock: Clock) -> float:
    left = deadline - clock()
    if left <= 0:
        raise TimeoutError
    return left


def _final(response: HTTPResponse) -> HTTPResponse:
    """The answer after those that only say that it will come (103 and the like; http.client passes over 100 alone)."""
    while HTTPStatus.SWITCHING_PROTOCOLS < response.status < HTTPStatus.OK:
        response.headers = None  # type: ignore[assignment]  # it has not begun
        response.begin()
    return response


def _drain(response: HTTPResponse) -> None:
    with suppress(OSError, HTTPException, ValueError):  # the status is the answer, whatever becomes of the rest
        response.read(ANSWER_BYTES)


def _reason(error: Exception) -> str:
    if isinstance(error, socket.gaierror):
        return "the host has no address"
    if isinstance(error, ConnectionRefusedError):
        return "connection refused"
    if isinstance(error, ConnectionError | HTTPException):
        return "the connection ended without an answer"
    return f"the host cannot be reached ({type(error).__name__})"
