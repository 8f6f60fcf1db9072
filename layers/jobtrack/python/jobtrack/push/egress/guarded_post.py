"""A guarded POST to an address that a tenant chose: it reaches public hosts only, and ends within its deadline.

The host name is resolved once and every address is checked. The connection goes to a checked address, so that a second
DNS answer cannot lead elsewhere. There are no redirects, no proxies and no decompression.
"""

import ipaddress
import socket
import ssl
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException

from msgspec import Struct

from jobtrack.push.egress.addresses import is_loopback, is_public
from jobtrack.push.egress.bounded_socket import BoundedSocket, Clock, remaining
from jobtrack.push.egress.dns import Resolve, resolve, resolve_within
from jobtrack.push.egress.failure_causes import Step, describe_failure
from jobtrack.push.egress.receiver_response import NoResponse, read_response
from jobtrack.push.egress.urls import WebhookUrl

DEADLINE_SECONDS = 10.0
ADDRESSES = 4
"""How many addresses of a host are tried until one accepts the connection."""


class EgressError(Exception):
    """There is no response, or the address is refused; the text gives the reason and names no address."""

    def __init__(self, text: str, step: Step = Step.RESOLVE) -> None:
        super().__init__(text)
        self.step = step


class Response(Struct, frozen=True):
    """The receiver's status code, and its Retry-After header."""

    status: int
    retry_after: str | None = None


@contextmanager
def _explained(step: Step, seconds: float) -> Iterator[None]:
    """Raise an EgressError for whatever goes wrong at a step; `seconds` is the time that the whole POST may take."""
    try:
        yield
    except NoResponse as error:
        raise EgressError(str(error), step) from error
    except (OSError, HTTPException, UnicodeError, ValueError) as error:
        raise EgressError(describe_failure(error, step, seconds), step) from error


class GuardedConnection:
    """A connection to a receiver, for one POST."""

    def __init__(self, url: WebhookUrl, connected: BoundedSocket, seconds: float) -> None:
        self._url = url
        self._socket = connected
        self._seconds = seconds

    def post(self, headers: Mapping[str, str], body: bytes) -> Response:
        """POST the body and return the response, whatever its status.

        Raises:
            EgressError: the receiver has not responded within the deadline.
        """
        connection = HTTPConnection(self._url.host, self._url.port)
        connection.auto_open = 0
        connection.sock = self._socket  # it has the methods that http.client needs to send
        sent = {"host": self._url.authority, "connection": "close", **headers}
        with _explained(Step.SEND, self._seconds):
            try:
                connection.request("POST", self._url.path, body, sent)
            except OSError as error:
                return _read_early_response(self._socket, error)
        with _explained(Step.RESPONSE, self._seconds):
            return _read_response(self._socket)


class Egress:
    """Connects to receivers. Only the TLS settings are kept between requests."""

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

    @contextmanager
    def connect(self, url: WebhookUrl) -> Iterator[GuardedConnection]:
        """Open a connection to the receiver; the deadline covers connection and POST.

        Raises:
            EgressError: the host resolves to a non-public address, or cannot be reached.
        """
        deadline = self._clock() + self._seconds
        with self._connect(url, deadline) as connected:
            yield GuardedConnection(url, BoundedSocket(connected, deadline, self._clock), self._seconds)

    def _connect(self, url: WebhookUrl, deadline: float) -> socket.socket:
        addresses = self._resolve_checked(url, deadline)[:ADDRESSES]
        failures: list[EgressError] = []
        for index, address in enumerate(addresses):
            try:
                return self._open(address, url, deadline, 1 / (len(addresses) - index))
            except EgressError as error:
                failures.append(error)
        raise max(failures, key=lambda failure: failure.step)  # the one that says most about the receiver

    def _open(self, address: str, url: WebhookUrl, deadline: float, share: float) -> socket.socket:
        with _explained(Step.CONNECT, self._seconds):
            seconds = remaining(deadline, self._clock) * share
            connected = socket.create_connection((address, url.port), seconds)
        if not url.tls:
            return connected
        try:
            with _explained(Step.HANDSHAKE, self._seconds):
                connected.settimeout(remaining(deadline, self._clock))
                return self._tls_context().wrap_socket(connected, server_hostname=url.host)
        except BaseException:
            connected.close()
            raise

    def _tls_context(self) -> ssl.SSLContext:
        """Return the TLS settings, made on first use: reading the certificate authorities slows down a cold start."""
        if self._tls is None:
            self._tls = ssl.create_default_context()
        return self._tls

    def _resolve_checked(self, url: WebhookUrl, deadline: float) -> Sequence[str]:
        """Return the host's addresses, if none of them is refused."""
        with _explained(Step.RESOLVE, self._seconds):
            seconds = remaining(deadline, self._clock)
            addresses = resolve_within(seconds, self._resolve, url.host, url.port)
            allowed = [address for address in addresses if self._is_allowed(address, url)]
        if not addresses:
            raise EgressError("the host name does not resolve")
        if len(allowed) != len(addresses):
            raise EgressError("the host resolves to a non-public address")
        return allowed

    def _is_allowed(self, address: str, url: WebhookUrl) -> bool:
        ip = ipaddress.ip_address(address)
        return (self._allow_loopback and is_loopback(ip)) or (url.tls and is_public(ip))


def _read_response(connected: BoundedSocket) -> Response:
    head = read_response(connected)
    return Response(head.status, head.header("retry-after"))


def _read_early_response(connected: BoundedSocket, error: OSError) -> Response:
    """Return the response of a receiver that did not read the whole request, such as a 413 or 401; else raise `error`.

    A receiver that ends TLS sends the reason first. Reading the response raises this reason.
    """
    try:
        return _read_response(connected)
    except ssl.SSLError as reason:
        raise (error if isinstance(reason, ssl.SSLEOFError) else reason) from None
    except (OSError, NoResponse):
        raise error from None
