"""Speaks WebSocket, and calls the functions that template.yaml names for what happens on it."""

import json
import logging
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, TypeVar

import anyio
from starlette.responses import JSONResponse
from starlette.websockets import WebSocket

from jobtrack_local.pumps.invocation import Function, HandlerFailed
from jobtrack_local.websocket.connections import GOING_AWAY, Connection, Connections, Gone
from jobtrack_local.websocket.events import CONNECT, DEFAULT, DISCONNECT, Event, Events, Peer, selected
from jobtrack_local.websocket.limits import HANDLERS_AT_ONCE

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

log = logging.getLogger(__name__)

PATH = "/websocket"
ABNORMAL = 1006
"""The code of a connection that ended without one."""
ResultT = TypeVar("ResultT")


@dataclass(frozen=True)
class Target:
    """What a route leads to: a function, and whether its answer goes back to the client (a route response)."""

    function: Function
    answers: bool


class WebSocketGateway:
    """The ASGI application of WebSockets; rings after each handler, for what it wrote may be in a stream now."""

    def __init__(
        self,
        selection: tuple[str, ...],
        routes: Mapping[str, Target],
        connections: Connections,
        ring: Callable[[], None],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._selection = selection
        self._routes = routes
        self._connections = connections
        self._ring = ring
        self._clock = clock
        self._closing = False
        self._threads = anyio.CapacityLimiter(HANDLERS_AT_ONCE)

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        """Ask $connect, carry messages until the end, and tell $disconnect."""
        socket = WebSocket(scope, receive, send)
        events = Events(Peer.of(scope, self._clock()), self._clock)
        await socket.receive()
        if status := await self._refusal(scope, events):
            answer = events.refusal(HTTPStatus(status).phrase)
            return await socket.send_denial_response(JSONResponse(answer, status))
        code, reason = ABNORMAL, ""
        try:
            await socket.accept()
            code, reason = await self._converse(Connection(events.peer, socket, self._clock), events)
        finally:
            if DISCONNECT in self._routes:
                await self._told(DISCONNECT, events.disconnect(code, reason), _body)

    async def close(self) -> None:
        """Let no one in any more, and close what is open."""
        self._closing = True
        await self._connections.close()

    async def _refusal(self, scope: "Scope", events: Events) -> int:
        """The status with which a handshake is refused; 0 when it is not."""
        if scope["path"] != PATH or CONNECT not in self._routes:
            return HTTPStatus.FORBIDDEN
        if self._closing:
            return HTTPStatus.SERVICE_UNAVAILABLE
        status = await self._told(CONNECT, events.connect(scope), _status)
        if status is None:
            return HTTPStatus.INTERNAL_SERVER_ERROR
        return 0 if 200 <= status < 300 else status

    async def _converse(self, connection: Connection, events: Events) -> tuple[int, str]:
        """Hand on messages one after the other until the connection ends; how it ended."""
        self._connections.add(connection)
        try:
            while message := await connection.receive():
                if message["type"] == "websocket.disconnect":
                    return message["code"], message.get("reason") or ""
                body = message.get("text")
                await self._hand_on(message["bytes"] if body is None else body, connection, events)
            await connection.close(GOING_AWAY)
            return GOING_AWAY, "Going away"
        finally:
            self._connections.remove(connection)

    async def _hand_on(self, body: str | bytes, connection: Connection, events: Events) -> None:
        key = selected(self._selection, body)
        key = key if key in self._routes else DEFAULT
        if key not in self._routes:
            return await _tell(connection, events.refusal("Forbidden"))
        answer = await self._told(key, events.message(key, body), _body)
        if answer is None:
            await _tell(connection, events.refusal("Internal server error"))
        elif answer and self._routes[key].answers:
            await _tell(connection, answer)

    async def _told(self, key: str, event: Event, read: Callable[[object], ResultT]) -> ResultT | None:
        """What the route's function answers; None when it failed."""
        try:
            return await anyio.to_thread.run_sync(
                partial(self._routes[key].function.call, event, read), abandon_on_cancel=True, limiter=self._threads
            )
        except HandlerFailed as error:
            log.warning("%s", error)
            return None
        finally:
            self._ring()


async def _tell(connection: Connection, answer: str | Mapping[str, str]) -> None:
    with suppress(Gone):  # the end comes as the next message
        await connection.post((answer if isinstance(answer, str) else json.dumps(answer)).encode())


def _status(answer: object) -> int:
    match answer:
        case {"statusCode": int(status)}:
            return HTTPStatus(status)
    raise ValueError("it answered no statusCode")


def _body(answer: object) -> str:
    match answer:
        case {"body": str(body)}:
            return body
    return ""
