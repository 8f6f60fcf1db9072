"""Sends a message to a webhook, signed with the current secrets of its subscription."""

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager

from msgspec import Struct

from jobtrack import times
from jobtrack.push.delivery import signatures
from jobtrack.push.egress.guarded_post import Egress, EgressError, GuardedConnection, Response
from jobtrack.push.egress.urls import WebhookUrl, check_url
from jobtrack.push.messages.message import Message
from jobtrack.push.subscriptions.secrets import Vault
from jobtrack.push.subscriptions.subscription import Subscription
from jobtrack.times import Micros

USER_AGENT = "jobtrack"


class WebhookConnection(Struct, frozen=True):
    """A connection to a webhook, for one signed message."""

    connection: GuardedConnection
    headers: Mapping[str, str]
    body: bytes

    def post(self) -> Response:
        """Post the message and return the response; raises EgressError if there is none."""
        return self.connection.post(self.headers, self.body)


class WebhookSender(Struct, eq=False):
    """Signs messages and connects to the URLs of their subscriptions."""

    vault: Vault
    egress: Egress
    ports: Collection[int]
    allow_loopback: bool = False
    clock: Callable[[], Micros] = times.now

    @contextmanager
    def connect(self, message: Message, subscription: Subscription) -> Iterator[WebhookConnection]:
        """Sign the message and open a connection to its webhook.

        Raises:
            EgressError: the webhook cannot be reached, or its address is refused.
        """
        body = message.payload.encode()
        headers = self._sign(message, subscription, body)
        with self.egress.connect(self._checked_url(subscription)) as connection:
            yield WebhookConnection(connection, headers, body)

    def _sign(self, message: Message, subscription: Subscription, body: bytes) -> dict[str, str]:
        secrets = self.vault.open(subscription.job, subscription.subscription_id, subscription.sealed)
        now = self.clock()
        headers = {"content-type": "application/json", "user-agent": USER_AGENT}
        headers |= signatures.headers(message.message_id, now, body, secrets.signing_at(now))
        if secrets.token is not None:
            headers["authorization"] = f"Bearer {secrets.token}"
        return headers

    def _checked_url(self, subscription: Subscription) -> WebhookUrl:
        """Return the subscription's URL. It is checked again, because the stack's rules may have changed."""
        try:
            return check_url(subscription.url or "", self.ports, self.allow_loopback)
        except ValueError as error:
            raise EgressError(f"the URL {error}") from error
