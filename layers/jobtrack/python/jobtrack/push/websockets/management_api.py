"""Posts to WebSocket connections, and closes them, with API Gateway's management API."""

import logging
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError
from msgspec import Struct

if TYPE_CHECKING:
    from types_boto3_apigatewaymanagementapi import ApiGatewayManagementApiClient

logger = logging.getLogger(__name__)


class ConnectionPostError(Exception):
    """The message was not accepted; a retry may succeed."""


class ConnectionGone(ConnectionPostError):
    """The connection is closed, or not open yet."""


class ManagementApi(Struct, frozen=True):
    """The connections of the stack's WebSocket API."""

    api: "ApiGatewayManagementApiClient"

    def post(self, connection_id: str, text: str) -> None:
        """Send a message.

        Raises:
            ConnectionGone: the connection is closed, or not open yet.
            ConnectionPostError: API Gateway did not accept the message.
        """
        try:
            self.api.post_to_connection(ConnectionId=connection_id, Data=text.encode())
        except self.api.exceptions.GoneException as error:
            raise ConnectionGone("the connection is gone") from error
        except (ClientError, BotoCoreError) as error:
            raise ConnectionPostError(f"the message was not accepted: {_reason(error)}") from error

    def close(self, connection_id: str) -> None:
        """Close a connection. If that fails, API Gateway closes it after two hours at the latest."""
        try:
            self.api.delete_connection(ConnectionId=connection_id)
        except (ClientError, BotoCoreError) as error:
            logger.info("a connection was not closed: %s", _reason(error))


def _reason(error: ClientError | BotoCoreError) -> str:
    return str(error.response["Error"]["Code"]) if isinstance(error, ClientError) else type(error).__name__
