"""A scripted management API of API Gateway's WebSocket connections."""

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

from botocore.exceptions import ClientError

from jobtrack.push.websockets.management_api import ManagementApi

if TYPE_CHECKING:
    from types_boto3_apigatewaymanagementapi import ApiGatewayManagementApiClient

Step = Callable[[], None]


class _Gone(ClientError):
    def __init__(self) -> None:
        super().__init__({"Error": {"Code": "GoneException", "Message": ""}}, "PostToConnection")


class Gateway:
    """The open connections, and the messages sent to each."""

    class exceptions:  # boto3's name
        GoneException = _Gone

    def __init__(self) -> None:
        self.connected: set[str] = set()
        self.sent: dict[str, list[dict[str, Any]]] = {}
        self.closed: list[str] = []
        self.failures: list[str] = []
        """Results of the next posts: `refused` (throttled), `unheard` (accepted, but the response is lost), or `ok`."""
        self.step: Step = lambda: None

    @property
    def sockets(self) -> ManagementApi:
        """Return the client that the code under test uses."""
        return ManagementApi(cast("ApiGatewayManagementApiClient", self))

    def post_to_connection(self, ConnectionId: str, Data: bytes) -> None:
        self.step()
        if ConnectionId not in self.connected:
            raise _Gone
        failure = self.failures.pop(0) if self.failures else "ok"
        if failure == "refused":
            raise ClientError({"Error": {"Code": "LimitExceededException", "Message": ""}}, "PostToConnection")
        self.sent.setdefault(ConnectionId, []).append(json.loads(Data))
        self.step()
        if failure == "unheard":
            raise ClientError({"Error": {"Code": "InternalServerError", "Message": ""}}, "PostToConnection")

    def delete_connection(self, ConnectionId: str) -> None:
        self.step()
        if ConnectionId not in self.connected:
            raise _Gone
        self.connected.discard(ConnectionId)
        self.closed.append(ConnectionId)
