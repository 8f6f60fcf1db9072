"""A webhook receiver on 127.0.0.1 that verifies and records messages."""

import hmac
import json
import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self

from standardwebhooks import Webhook, WebhookVerificationError

SECRET_WAIT_SECONDS = 5.0


@dataclass(frozen=True)
class Pushed:
    """A verified message: the type and the sequence in its body."""

    type: str
    sequence: int | None


@dataclass
class Inbox:
    """The received messages by webhook-id, their counts, and the refused requests with causes."""

    messages: dict[str, Pushed] = field(default_factory=dict)
    arrivals: Counter[str] = field(default_factory=Counter)
    refused: list[str] = field(default_factory=list)

    @property
    def repeats(self) -> int:
        """The number of repeated arrivals."""
        return self.arrivals.total() - len(self.messages)

    def types(self) -> Counter[str]:
        """The number of messages by type."""
        return Counter(message.type for message in self.messages.values())


class Gate:
    """Verifies a request, records the message or the cause of its refusal, and returns the status of the response."""

    def __init__(self, token: str, secret_wait: float = SECRET_WAIT_SECONDS) -> None:
        self.inbox = Inbox()
        self._token = token
        self._secret_wait = secret_wait
        self._secret = ""
        self._known = threading.Event()
        self._lock = threading.Lock()

    def know(self, secret: str) -> None:
        """Set the signing secret, which exists only after the subscription was created."""
        self._secret = secret
        self._known.set()

    def receive(self, headers: Mapping[str, str], body: bytes) -> int:
        """Return 204 for a verified message, 401 for any other, 503 while there is no secret."""
        if not self._known.wait(self._secret_wait):
            return 503
        try:
            message = self._verified(headers, body)
        except (WebhookVerificationError, ValueError, KeyError, TypeError) as error:
            with self._lock:
                self.inbox.refused.append(str(error) or type(error).__name__)
            return 401
        with self._lock:
            identity = headers["webhook-id"]
            self.inbox.messages[identity] = message
            self.inbox.arrivals[identity] += 1
        return 204

    def snapshot(self) -> Inbox:
        """Return a copy of the present state."""
        with self._lock:
            return Inbox(dict(self.inbox.messages), Counter(self.inbox.arrivals), list(self.inbox.refused))

    def _verified(self, headers: Mapping[str, str], body: bytes) -> Pushed:
        expected, given = f"Bearer {self._token}", headers.get("authorization", "")
        if not hmac.compare_digest(given.encode(), expected.encode()):
            raise WebhookVerificationError("the bearer token is missing or wrong")
        Webhook(self._secret).verify(body, dict(headers), json_parse=False)
        message = json.loads(body)
        return Pushed(message["type"], message["data"]["sequence"])


class Receiver:
    """The gate as an HTTP server on a free port, during its `with` statement."""

    def __init__(self, gate: Gate) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(gate))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, name="receiver", daemon=True)

    @property
    def url(self) -> str:
        """The URL for webhooks."""
        return f"http://127.0.0.1:{self._server.server_port}/webhook"

    def __enter__(self) -> Self:
        """Start listening."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _handler(gate: Gate) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            status = gate.receive({name.lower(): value for name, value in self.headers.items()}, body)
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Log nothing, because the display shows the requests."""

    return Handler
