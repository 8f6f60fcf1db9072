"""Helpers to follow a job over a WebSocket."""

import json
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from tests.e2e.reporting import Json

PATIENCE_SECONDS = 60
MINISTACK = "/_aws/execute-api/"
"""Part of the URL of a deployed stack's WebSocket API."""
RESET = struct.pack("ii", 1, 0)
"""SO_LINGER value with which closing a socket resets its connection."""


def subscribed(api: httpx.Client, job: str, *events: str, **more: Any) -> Json:
    """Create a WebSocket subscription."""
    wanted = {"subscriptionType": "websocket", "events": events, **more}
    answer = api.post(f"/job/{job}/subscribe", json=wanted)
    assert answer.status_code == 201, answer.text
    made: Json = answer.json()
    return made


def ticket(api: httpx.Client, name: str) -> str:
    """Return a URL to reconnect."""
    answer = api.post(f"/subscription/{name}/ticket")
    assert answer.status_code == 200, answer.text
    return str(answer.json()["websocketUrl"])


@contextmanager
def following(url: str, since: int | None = None) -> Iterator[ClientConnection]:
    """Connect a client, which resumes at a sequence if one is given."""
    with connect(url, proxy=None) as client:
        if since is not None:
            client.send(json.dumps({"action": "resume", "sinceSequence": since}))
        yield client


def refused(url: str) -> int:
    """Return the status that refuses the handshake; 401 for ministack's 403, its status for every refusal."""
    with pytest.raises(InvalidStatus) as refusal, connect(url, proxy=None):
        pass
    status = int(refusal.value.response.status_code)
    return 401 if status == 403 and MINISTACK in url else status


def told(client: ClientConnection, count: int) -> list[Json]:
    """Return the next `count` messages."""
    return [json.loads(client.recv(PATIENCE_SECONDS)) for _ in range(count)]


def rest(client: ClientConnection) -> list[Json]:
    """Yield all messages until the service closes the connection."""
    found = list[Json]()
    while True:
        try:
            found += told(client, 1)
        except ConnectionClosed:
            return found


def sequences(messages: list[Json]) -> list[int]:
    """Return the sequences of messages, in order of arrival."""
    return [message["data"]["sequence"] for message in messages]


def drop(client: ClientConnection) -> None:
    """Disconnect as if a cable were cut: messages in flight are lost."""
    client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    client.socket.shutdown(socket.SHUT_RDWR)


@contextmanager
def silent(url: str) -> Iterator[socket.socket]:
    """Connect a client that never reads."""
    place = urlsplit(url)
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect((place.hostname, place.port))
        client.sendall(
            f"GET {place.path}?{place.query} HTTP/1.1\r\nHost: {place.netloc}\r\n"
            "Upgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        yield client
