"""The interface of senders: the deliverer connects, checks once more, and posts."""

from contextlib import AbstractContextManager
from typing import Protocol

from jobtrack.push.egress.guarded_post import Response
from jobtrack.push.messages.message import Message
from jobtrack.push.subscriptions.subscription import Subscription


class Connection(Protocol):
    """A connection to the receiver of a message."""

    def post(self) -> Response:
        """Post the message and return the receiver's response.

        Raises:
            EgressError: there is no response.
        """


class Sender(Protocol):
    """Sends messages to receivers of one kind: webhooks, or WebSocket connections."""

    def connect(self, message: Message, subscription: Subscription) -> AbstractContextManager[Connection]:
        """Open a connection for the message; nothing is sent before `post`.

        Raises:
            EgressError: the receiver cannot be reached, or its address is refused.
        """
