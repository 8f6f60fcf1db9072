"""Sending a message to a webhook: signed now, with the secrets of its subscription."""

import time
from collections.abc import Callable, Collection

from jobtrack.classes import service
from jobtrack.push.delivery import signatures
from jobtrack.push.egress.guarded_post import Egress, EgressError, Response
from jobtrack.push.egress.urls import WebhookUrl, check_url
from jobtrack.push.messages.message import Message
from jobtrack.push.subscriptions.secrets import Vault
from jobtrack.push.subscriptions.subscription import Subscription

USER_AGENT = "jobtrack"


@service
class WebhookSender:
    """Posts messages to the URLs of their subscriptions."""

    vault: Vault
    egress: Egress
    ports: Collection[int]
    allow_loopback: bool = False
    clock: Callable[[], float] = time.time

    def send(self, message: Message, subscription: Subscription, ready: Callable[[], None]) -> Response:
        """Post the message and give the receiver's answer; `ready` is called last before the first byte, and may raise.

        Raises:
            EgressError: no answer came.
        """
        secrets = self.vault.open(subscription.job, subscription.subscription_id, subscription.sealed)
        target, now, body = self._target(subscription), self.clock(), message.payload.encode()
        headers = {"content-type": "application/json", "user-agent": USER_AGENT}
        headers |= signatures.headers(message.message_id, int(now), body, secrets.signing_at(now))
        if secrets.token is not None:
            headers["authorization"] = f"Bearer {secrets.token}"
        return self.egress.post(target, headers, body, ready)

    def _target(self, subscription: Subscription) -> WebhookUrl:
        """Where to post to: checked again, since what the stack allows may have changed."""
        try:
            return check_url(subscription.url or "", self.ports, self.allow_loopback)
        except ValueError as error:
            raise EgressError(f"the URL {error}") from error
