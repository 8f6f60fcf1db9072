"""API Gateway's management API for WebSockets (`@connections`), as used by boto3's `apigatewaymanagementapi`."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from jobtrack import times
from jobtrack.times import Micros
from jobtrack_local.websocket.connections import NORMAL, Connection, Connections, Gone
from jobtrack_local.websocket.limits import MESSAGE_BYTES

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

PATH = "/@connections/"


class Management:
    """Serves paths below `prefix`, which only the service's own functions know. So signatures are not checked."""

    def __init__(self, connections: Connections, prefix: str) -> None:
        self._connections = connections
        self._path = prefix + PATH

    def serves(self, path: str) -> bool:
        """Return whether the path is that of a connection."""
        return path.startswith(self._path)

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        """Post to a connection, describe it or close it."""
        try:
            connection = self._connections.get(scope["path"].removeprefix(self._path))
            answer = await _answer(Request(scope, receive), connection)
        except Gone:
            answer = _refusal(410, "GoneException", "The connection is gone.")
        await answer(scope, receive, send)


async def _answer(request: Request, connection: Connection) -> Response:
    match request.method:
        case "POST":
            return await _posted(request, connection)
        case "GET":
            return _shown(connection)
        case "DELETE":
            await connection.close(NORMAL)
            return Response(status_code=204)
    return _refusal(403, "ForbiddenException", "Connections are posted to, shown and deleted.")


async def _posted(request: Request, connection: Connection) -> Response:
    data = b""
    async for chunk in request.stream():
        data += chunk
        if len(data) > MESSAGE_BYTES:
            return _refusal(413, "PayloadTooLargeException", f"The message is longer than {MESSAGE_BYTES} bytes.")
    await connection.post(data)
    return Response()


def _shown(connection: Connection) -> Response:
    peer = connection.peer
    return JSONResponse(
        {
            "connectedAt": _time(peer.connected_at),
            "identity": {"sourceIp": peer.source_ip, "userAgent": peer.user_agent},
            "lastActiveAt": _time(connection.last_active_at),
        }
    )


def _time(moment: Micros) -> str:
    return datetime.fromtimestamp(moment / times.SECOND, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _refusal(status: int, kind: str, message: str) -> Response:
    return JSONResponse({"message": message}, status, headers={"x-amzn-ErrorType": kind})
