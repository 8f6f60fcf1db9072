"""From a request to a subscription, with a signing secret of its own."""

import base64
import time
import uuid
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from jobtrack.errors import Fault, Unprocessable
from jobtrack.keys import JobKey
from jobtrack.push.requests import SubscribeRequest
from jobtrack.push.secrets import Secrets, SigningSecret, Vault
from jobtrack.push.signatures import new_secret
from jobtrack.push.subscription import Filters, Subscription
from jobtrack.push.urls import check_url


@dataclass(frozen=True, slots=True)
class Subscriber:
    """Makes subscriptions; what may be subscribed from this stack is told by its settings."""

    vault: Vault
    ports: Collection[int]
    allow_loopback: bool = False
    clock: Callable[[], float] = time.time
    new_id: Callable[[], uuid.UUID] = uuid.uuid4
    new_secret: Callable[[], str] = new_secret

    def make(self, job: JobKey, request: SubscribeRequest, pointer: str = "") -> Subscription:
        """The subscription that is asked for, not yet stored; `pointer` leads to the request in its body.

        Raises:
            Unprocessable: messages may not be pushed to the URL.
        """
        self._check(request.webhook_url, f"{pointer}/webhookUrl")
        name, now = f"sub-{self.new_id()}", int(self.clock())
        token = request.authentication.token if request.authentication else None
        return Subscription(
            job=job,
            subscription_id=name,
            type=request.subscription_type,
            url=request.webhook_url,
            events=request.event_names(),
            filters=(request.filters.filters() if request.filters else Filters()),
            language=request.spoken(),
            created_at=now,
            expires_at=now + request.lifetime(),
            sealed=self.vault.seal(job, name, Secrets((SigningSecret(self.new_secret()),), token)),
        )

    def _check(self, url: str, pointer: str) -> None:
        try:
            check_url(url, self.ports, self.allow_loopback)
        except ValueError as error:
            raise Unprocessable(f"{pointer} {error}.", [Fault(pointer, str(error))]) from error

    def kept(self, subscription: Subscription) -> dict[str, Any]:
        """The answer to the request as it may be stored: the secrets sealed."""
        sealed = base64.b64encode(subscription.sealed).decode()
        return {**subscription.answer(subscription.created_at), "sealed": sealed}

    def revealed(self, job: JobKey, kept: dict[str, Any]) -> dict[str, Any]:
        """The answer to the request as it goes out: with the signing secret, the same each time."""
        answer = {name: value for name, value in kept.items() if name != "sealed"}
        secrets = self.vault.open(job, kept["subscriptionId"], base64.b64decode(kept["sealed"]))
        return {**answer, "signingSecret": secrets.signing[0].secret}
