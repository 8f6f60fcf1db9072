"""The events of API Gateway's WebSocket API, as Lambda gets them from its proxy integration."""

import base64
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from secrets import token_bytes
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl
from uuid import uuid4

if TYPE_CHECKING:
    from starlette.types import Scope

Event = dict[str, object]

CONNECT, DISCONNECT, DEFAULT = "$connect", "$disconnect", "$default"


@dataclass(frozen=True)
class Peer:
    """Who is connected: what every event tells of a connection."""

    connection_id: str
    connected_at: float
    domain_name: str
    source_ip: str
    user_agent: str

    @classmethod
    def of(cls, scope: "Scope", now: float) -> "Peer":
        """Who opens the connection now, in seconds since 1970, under a new id."""
        headers = {name.lower(): value for name, value in _headers(scope)}
        return cls(
            base64.urlsafe_b64encode(token_bytes(11)).decode(),  # ends in `=`, as AWS's do
            now,
            headers.get("host", ""),
            scope["client"][0] if scope.get("client") else "",
            headers.get("user-agent", ""),
        )


@dataclass(frozen=True)
class Events:
    """Makes the events of one connection."""

    peer: Peer
    clock: Callable[[], float] = time.time

    def connect(self, scope: "Scope") -> Event:
        """What $connect gets: the handshake's headers and query."""
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
        """What a route gets: text as it came, bytes in base64."""
        binary = isinstance(body, bytes)
        return {
            "requestContext": self._context(route_key, "MESSAGE") | {"messageId": str(uuid4())},
            "body": base64.b64encode(body).decode() if isinstance(body, bytes) else body,
            "isBase64Encoded": binary,
        }

    def disconnect(self, code: int, reason: str) -> Event:
        """What $disconnect gets: how the connection ended."""
        context = self._context(DISCONNECT, "DISCONNECT")
        headers = [("Host", self.peer.domain_name)]
        return {
            "headers": dict(headers),
            "multiValueHeaders": _gathered(headers),
            "requestContext": context | {"disconnectStatusCode": code, "disconnectReason": reason},
            "isBase64Encoded": False,
        }

    def refusal(self, message: str) -> dict[str, str]:
        """What API Gateway itself tells a client."""
        return {"message": message, "connectionId": self.peer.connection_id, "requestId": str(uuid4())}

    def _context(self, route_key: str, kind: str) -> dict[str, object]:
        now, request = self.clock(), str(uuid4())
        return {
            "routeKey": route_key,
            "eventType": kind,
            "extendedRequestId": request,
            "requestTime": datetime.fromtimestamp(now, UTC).strftime("%d/%b/%Y:%H:%M:%S +0000"),
            "messageDirection": "IN",
            "stage": "local",
            "connectedAt": int(self.peer.connected_at * 1000),
            "requestTimeEpoch": int(now * 1000),
            "identity": {"userAgent": self.peer.user_agent, "sourceIp": self.peer.source_ip},
            "requestId": request,
            "domainName": self.peer.domain_name,
            "connectionId": self.peer.connection_id,
            "apiId": "local",
        }


def selected(selection: tuple[str, ...], body: str | bytes) -> str:
    """What a message says at the path of the route selection expression; `$default` where it can mean no route."""
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
