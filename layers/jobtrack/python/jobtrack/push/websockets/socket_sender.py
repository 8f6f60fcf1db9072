"""Sending a message to the connection of a WebSocket subscription."""

import time
from collections.abc import Callable

import orjson

from jobtrack import limits
from jobtrack.classes import frozen
from jobtrack.push.egress.guarded_post import EgressError, Response
from jobtrack.push.messages.message import ENDED, Message
from jobtrack.push.subscriptions.subscription import Subscription
from jobtrack.push.websockets.connection_table import ConnectionTable
from jobtrack.push.websockets.management_api import ConnectionGone, ConnectionPostError, ManagementApi

OPENING_SECONDS = 10
"""How long after its connection was let in a client may not yet be there to post to."""


@frozen
class SocketSender:
    """Posts messages to the connections of their subscriptions; closes them after the word of the end."""

    sockets: ManagementApi
    connections: ConnectionTable
    clock: Callable[[], float] = time.time

    def send(self, message: Message, subscription: Subscription, ready: Callable[[], None]) -> Response:
        """Post the message, as to a webhook that takes it; `ready` is called right before, and may raise.

        Raises:
            EgressError: nobody is connected, or the message was not taken.
        """
        cursor = subscription.cursor
        if cursor is None or cursor.connection is None:
            raise EgressError("no client is connected")
        ready()
        try:
            self.sockets.post(cursor.connection, text_of(message))
        except ConnectionGone as gone:
            self.lose(subscription, cursor.connection, cursor.connected_at or 0)
            raise EgressError(str(gone)) from gone
        except ConnectionPostError as error:
            raise EgressError(str(error)) from error
        if message.type == ENDED:
            self.sockets.close(cursor.connection)
        return Response(200)

    def lose(self, subscription: Subscription, connection: str, connected_at: float) -> bool:
        """Forget a connection that is gone; False if it may only not be open yet."""
        if self.clock() < connected_at + OPENING_SECONDS:
            return False
        self.connections.forget(subscription.job, subscription.subscription_id, connection)
        return True


def text_of(message: Message) -> str:
    """The message as a WebSocket carries it: the webhook's JSON, and its `webhook-id` as `id`.

    API Gateway carries 128 KB: of a larger event only that it happened is told; the rest can be read by its sequence.
    """
    whole = _with_id(message.message_id, message.payload)
    if len(whole.encode()) <= limits.SOCKET_BYTES:
        return whole
    told = orjson.loads(message.payload)
    told["data"] |= {"event": {}, "truncated": True}
    return _with_id(message.message_id, orjson.dumps(told).decode())


def _with_id(name: str, payload: str) -> str:
    return f'{{"id":"{name}",{payload[1:]}'
