"""The events of API Gateway's WebSocket API, as its proxy integration passes them to Lambda."""

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from secrets import token_bytes
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl
from uuid import uuid4

from jobtrack import times
from jobtrack.times import Micros

if TYPE_CHECKING:
    from starlette.types import Scope

Event = dict[str, object]

CONNECT, DISCONNECT, DEFAULT = "$connect", "$disconnect", "$default"


@dataclass(frozen=True)
class Peer:
    """The client of a connection, as every event describes it."""

    connection_id: str
    connected_at: Micros
    domain_name: str
    source_ip: str
    user_agent: str

    @classmethod
    def of(cls, scope: "Scope", now: Micros) -> "Peer":
        """Return the client that opens a connection at `now`, with a new connection id."""
        headers = {name.lower(): value for name, value in _headers(scope)}
        return cls(
            base64.urlsafe_b64encode(token_bytes(11)).decode(),  # ends in `=`, as in AWS
            now,
            headers.get("host", ""),
            scope["client"][0] if scope.get("client") else "",
            headers.get("user-agent", ""),
        )


@dataclass(frozen=True)
class Events:
    """Builds the events of one connection."""

    peer: Peer
    clock: Callable[[], Micros] = times.now

    def connect(self, scope: "Scope") -> Event:
        """Return the event of $connect, with the headers and query of the handshake."""
        query = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        return {
            "headers": dict(_headers(scope)),
            "multiValueHeaders": _gathered(_headers(scope)),
            **(
                {"queryStringParameters": dict(query), "multiValueQueryStringParameters": _gathered(query)}
                if query
                else {}
            ),
            "requestContext": self._context(CONNECT, "CONNECT"),
            "isBase64Encoded": False,
        }

    def message(self, route_key: str, body: str | bytes) -> Event:
        """Return the event of a message: text unchanged, bytes in base64."""
        binary = isinstance(body, bytes)
        return {
            "requestContext": self._context(route_key, "MESSAGE") | {"messageId": str(uuid4())},
            "body": base64.b64encode(body).decode() if isinstance(body, bytes) else body,
            "isBase64Encoded": binary,
        }

    def disconnect(self, code: int, reason: str) -> Event:
        """Return the event of $disconnect, with the close code and reason."""
        context = self._context(DISCONNECT, "DISCONNECT")
        headers = [("Host", self.peer.domain_name)]
        return {
            "headers": dict(headers),
            "multiValueHeaders": _gathered(headers),
            "requestContext": context | {"disconnectStatusCode": code, "disconnectReason": reason},
            "isBase64Encoded": False,
        }

    def refusal(self, message: str) -> dict[str, str]:
        """Return the error message that API Gateway sends to a client."""
        return {"message": message, "connectionId": self.peer.connection_id, "requestId": str(uuid4())}

    def _context(self, route_key: str, kind: str) -> dict[str, object]:
        now, request = self.clock(), str(uuid4())
        return {
            "routeKey": route_key,
            "eventType": kind,
            "extendedRequestId": request,
            "requestTime": datetime.fromtimestamp(times.epoch_seconds(now), UTC).strftime("%d/%b/%Y:%H:%M:%S +0000"),
            "messageDirection": "IN",
            "stage": "local",
            "connectedAt": self.peer.connected_at // 1000,
            "requestTimeEpoch": now // 1000,
            "identity": {"userAgent": self.peer.user_agent, "sourceIp": self.peer.source_ip},
            "requestId": request,
            "domainName": self.peer.domain_name,
            "connectionId": self.peer.connection_id,
            "apiId": "local",
        }


def select_route(selection: tuple[str, ...], body: str | bytes) -> str:
    """Return the route key that a message names, or `$default` if it names none."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return DEFAULT
    for name in selection:
        found = found.get(name) if isinstance(found, Mapping) else None
    return found if isinstance(found, str) and found not in (CONNECT, DISCONNECT) else DEFAULT


def _headers(scope: "Scope") -> list[tuple[str, str]]:
    return [(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]]


def _gathered(pairs: list[tuple[str, str]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in pairs:
        found.setdefault(name, []).append(value)
    return found
