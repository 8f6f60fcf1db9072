"""Sends a message (a ping, or the end) to the connection of a WebSocket subscription. Events are streamed instead."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

import orjson
from msgspec import Struct

from jobtrack import limits, times
from jobtrack.push.egress.guarded_post import EgressError, Response
from jobtrack.push.messages.message import ENDED, Message
from jobtrack.push.subscriptions.subscription import Subscription
from jobtrack.push.websockets.connection_table import ConnectionTable
from jobtrack.push.websockets.management_api import ConnectionGone, ConnectionPostError, ManagementApi
from jobtrack.times import Micros

OPENING_SECONDS = 10
"""How long after `$connect` a connection may not be open yet."""


class SocketConnection(Struct, frozen=True):
    """The WebSocket connection of a subscription, for one message."""

    sender: "SocketSender"
    message: Message
    subscription: Subscription
    connection_id: str
    connected_at: Micros

    def post(self) -> Response:
        """Post the message; an accepted message counts as a 200 response.

        Raises:
            EgressError: the connection is gone, or the message was not accepted.
        """
        try:
            self.sender.sockets.post(self.connection_id, socket_text(self.message))
        except ConnectionGone as gone:
            self.sender.drop_connection(self.subscription, self.connection_id, self.connected_at)
            raise EgressError(str(gone)) from gone
        except ConnectionPostError as error:
            raise EgressError(str(error)) from error
        if self.message.type == ENDED:
            self.sender.sockets.close(self.connection_id)
        return Response(200)


class SocketSender(Struct, frozen=True):
    """Posts messages to the connections of their subscriptions, and closes them after the subscription has ended."""

    sockets: ManagementApi
    connections: ConnectionTable
    clock: Callable[[], Micros] = times.now

    def connect(self, message: Message, subscription: Subscription) -> AbstractContextManager[SocketConnection]:
        """Return the subscription's connection, for one message.

        Raises:
            EgressError: no client is connected.
        """
        stream = subscription.stream
        if stream is None or stream.connection is None:
            raise EgressError("no client is connected")
        connected_at = stream.connected_at or times.EPOCH
        return nullcontext(SocketConnection(self, message, subscription, stream.connection, connected_at))

    def drop_connection(self, subscription: Subscription, connection_id: str, connected_at: Micros) -> bool:
        """Remove a connection that is gone. If it may not be open yet, keep it and return False."""
        if self.clock() < times.add_seconds(connected_at, OPENING_SECONDS):
            return False
        self.connections.detach(subscription.job, subscription.subscription_id, connection_id)
        return True


def socket_text(message: Message) -> str:
    """Return the message in its WebSocket form: the webhook's JSON, with its `webhook-id` as `id`.

    API Gateway accepts at most 128 KB. A larger message has no event data; the client can read it by the sequence.
    """
    whole = _with_id(message.message_id, message.payload)
    if len(whole.encode()) <= limits.SOCKET_BYTES:
        return whole
    body = orjson.loads(message.payload)
    body["data"] |= {"event": {}, "truncated": True}
    return _with_id(message.message_id, orjson.dumps(body).decode())


def _with_id(message_id: str, payload: str) -> str:
    return f'{{"id":"{message_id}",{payload[1:]}'
