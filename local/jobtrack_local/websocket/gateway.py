"""The gateway of the WebSocket API: calls the functions of template.yaml when clients connect, send and disconnect."""

import json
import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, TypeVar

import anyio
from starlette.responses import JSONResponse
from starlette.websockets import WebSocket

from jobtrack import times
from jobtrack.times import Micros
from jobtrack_local.runtime.function import Function, HandlerFailed
from jobtrack_local.websocket.connections import GOING_AWAY, Connection, Connections, Gone
from jobtrack_local.websocket.events import CONNECT, DEFAULT, DISCONNECT, Event, Events, Peer, select_route
from jobtrack_local.websocket.limits import HANDLERS_AT_ONCE

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

log = logging.getLogger(__name__)

PATH = "/websocket"
ABNORMAL = 1006
"""The close code of a connection that ended without one."""
ResultT = TypeVar("ResultT")


@dataclass(frozen=True)
class Target:
    """The function of a route, and whether its response is sent to the client."""

    function: Function
    has_response: bool


class WebSocketGateway:
    """The ASGI application for WebSockets."""

    def __init__(
        self,
        selection: tuple[str, ...],
        routes: Mapping[str, Target],
        connections: Connections,
        clock: Callable[[], Micros] = times.now,
    ) -> None:
        self._selection = selection
        self._routes = routes
        self._connections = connections
        self._clock = clock
        self._closing = False
        self._threads = anyio.CapacityLimiter(HANDLERS_AT_ONCE)

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        """Call $connect, a function for each message, and $disconnect at the end."""
        socket = WebSocket(scope, receive, send)
        events = Events(Peer.of(scope, self._clock()), self._clock)
        await socket.receive()
        if status := await self._refusal(scope, events):
            body = events.refusal(HTTPStatus(status).phrase)
            return await socket.send_denial_response(JSONResponse(body, status))
        code, reason = ABNORMAL, ""
        try:
            await socket.accept()
            code, reason = await self._serve(Connection(events.peer, socket, self._clock), events)
        finally:
            if DISCONNECT in self._routes:
                await self._invoke(DISCONNECT, events.disconnect(code, reason), _body)

    async def close(self) -> None:
        """Refuse new connections and close the open ones."""
        self._closing = True
        await self._connections.close()

    async def _refusal(self, scope: "Scope", events: Events) -> int:
        """Return the status with which to refuse a handshake, or 0 to accept it."""
        if scope["path"] != PATH or CONNECT not in self._routes:
            return HTTPStatus.FORBIDDEN
        if self._closing:
            return HTTPStatus.SERVICE_UNAVAILABLE
        status = await self._invoke(CONNECT, events.connect(scope), _status)
        if status is None:
            return HTTPStatus.INTERNAL_SERVER_ERROR
        return 0 if 200 <= status < 300 else status

    async def _serve(self, connection: Connection, events: Events) -> tuple[int, str]:
        """Dispatch messages, one at a time, until the connection ends. Return the close code and reason."""
        self._connections.add(connection)
        try:
            while message := await connection.receive():
                if message["type"] == "websocket.disconnect":
                    return message["code"], message.get("reason") or ""
                body = message.get("text")
                await self._dispatch(message["bytes"] if body is None else body, connection, events)
            await connection.close(GOING_AWAY)
            return GOING_AWAY, "Going away"
        finally:
            self._connections.remove(connection)

    async def _dispatch(self, body: str | bytes, connection: Connection, events: Events) -> None:
        key = select_route(self._selection, body)
        key = key if key in self._routes else DEFAULT
        if key not in self._routes:
            return await _post(connection, events.refusal("Forbidden"))
        response = await self._invoke(key, events.message(key, body), _body)
        if response is None:
            await _post(connection, events.refusal("Internal server error"))
        elif response and self._routes[key].has_response:
            await _post(connection, response)

    async def _invoke(self, key: str, event: Event, parse: Callable[[object], ResultT]) -> ResultT | None:
        """Return the parsed response of the route's function, or None if it failed."""
        try:
            return await anyio.to_thread.run_sync(
                partial(self._routes[key].function.invoke, event, parse), abandon_on_cancel=True, limiter=self._threads
            )
        except HandlerFailed as error:
            log.warning("%s", error)
            return None


async def _post(connection: Connection, body: str | Mapping[str, str]) -> None:
    with suppress(Gone):  # the next `receive` returns the disconnect
        await connection.post((body if isinstance(body, str) else json.dumps(body)).encode())


def _status(response: object) -> int:
    match response:
        case {"statusCode": int(status)}:
            return HTTPStatus(status)
    raise ValueError("the response has no statusCode")


def _body(response: object) -> str:
    match response:
        case {"body": str(body)}:
            return body
    return ""
