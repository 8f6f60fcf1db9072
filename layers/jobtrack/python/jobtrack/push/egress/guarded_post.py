"""One guarded POST to an address that a tenant chose: it reaches public hosts only, and ends within its deadline.

The name is resolved once, every answer is checked, and the connection is made to a checked address, so that a second
look-up cannot lead elsewhere. No redirect, no proxy, no decompression.
"""

import ipaddress
import socket
import ssl
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException

from jobtrack.classes import frozen
from jobtrack.push.egress.addresses import is_loopback, is_public
from jobtrack.push.egress.bounded_socket import BoundedSocket, Clock, remaining
from jobtrack.push.egress.dns import Resolve, resolve, resolve_within
from jobtrack.push.egress.failure_causes import Step, cause
from jobtrack.push.egress.receiver_response import NoResponse, read_response
from jobtrack.push.egress.urls import WebhookUrl

DEADLINE_SECONDS = 10.0
ADDRESSES = 4
"""How many addresses of a host are tried until one takes the connection."""


class EgressError(Exception):
    """No answer came, or none may be fetched; the text says why and names no address."""

    def __init__(self, text: str, step: Step = Step.RESOLVE) -> None:
        super().__init__(text)
        self.step = step


@frozen
class Response:
    """The receiver's status, and its wish when to be asked again."""

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
        self, target: WebhookUrl, headers: Mapping[str, str], body: bytes, ready: Callable[[], None] = _ready
    ) -> Response:
        """POST the body and return the receiver's answer, whatever its status.

        `ready` is called when the connection stands, right before the first byte is sent; what it raises ends it.

        Raises:
            EgressError: the host is not public, cannot be reached, or has not answered within the deadline.
        """
        deadline = self._clock() + self._seconds
        with self._connect(target, deadline) as connected:
            ready()
            return self._exchange(BoundedSocket(connected, deadline, self._clock), target, headers, body)

    @contextmanager
    def _explained(self, step: Step) -> Iterator[None]:
        try:
            yield
        except NoResponse as error:
            raise EgressError(str(error), step) from error
        except (OSError, HTTPException, UnicodeError, ValueError) as error:
            raise EgressError(cause(error, step, self._seconds), step) from error

    def _exchange(self, wire: BoundedSocket, target: WebhookUrl, headers: Mapping[str, str], body: bytes) -> Response:
        connection = HTTPConnection(target.host, target.port)
        connection.auto_open = 0
        connection.sock = wire  # it has what http.client needs of a socket to send
        with self._explained(Step.SEND):
            try:
                connection.request(
                    "POST", target.path, body, {"host": target.authority, "connection": "close", **headers}
                )
            except OSError as error:
                return _early_answer(wire, error)
        with self._explained(Step.ANSWER):
            return _answer(wire)

    def _connect(self, target: WebhookUrl, deadline: float) -> socket.socket:
        addresses = self._checked(target, deadline)[:ADDRESSES]
        failures: list[EgressError] = []
        for index, address in enumerate(addresses):
            try:
                return self._open(address, target, deadline, 1 / (len(addresses) - index))
            except EgressError as error:
                failures.append(error)
        raise max(failures, key=lambda failure: failure.step)  # the one that says most of the receiver

    def _open(self, address: str, target: WebhookUrl, deadline: float, share: float) -> socket.socket:
        with self._explained(Step.CONNECT):
            left = remaining(deadline, self._clock) * share
            connected = socket.create_connection((address, target.port), left)
        if not target.tls:
            return connected
        try:
            with self._explained(Step.HANDSHAKE):
                connected.settimeout(remaining(deadline, self._clock))
                return self._context().wrap_socket(connected, server_hostname=target.host)
        except BaseException:
            connected.close()
            raise

    def _context(self) -> ssl.SSLContext:
        """Made when first needed: reading the certificate authorities takes a quarter of what importing boto3 does."""
        if self._tls is None:
            self._tls = ssl.create_default_context()
        return self._tls

    def _checked(self, target: WebhookUrl, deadline: float) -> Sequence[str]:
        with self._explained(Step.RESOLVE):
            left = remaining(deadline, self._clock)
            addresses = resolve_within(left, self._resolve, target.host, target.port)
            allowed = [address for address in addresses if self._allowed(address, target)]
        if not addresses:
            raise EgressError("the host name does not resolve")
        if len(allowed) != len(addresses):
            raise EgressError("the host resolves to a non-public address")
        return allowed

    def _allowed(self, address: str, target: WebhookUrl) -> bool:
        ip = ipaddress.ip_address(address)
        return (self._allow_loopback and is_loopback(ip)) or (target.tls and is_public(ip))


def _answer(wire: BoundedSocket) -> Response:
    head = read_response(wire)
    return Response(head.status, head.header("retry-after"))


def _early_answer(wire: BoundedSocket, error: OSError) -> Response:
    """The answer of a receiver that did not take the whole request, such as a 413 or 401; else the error.

    A receiver that ends TLS sends the reason first; then it is what reading raises.
    """
    try:
        return _answer(wire)
    except ssl.SSLError as reason:
        raise (error if isinstance(reason, ssl.SSLEOFError) else reason) from None
    except (OSError, NoResponse):
        raise error from None
