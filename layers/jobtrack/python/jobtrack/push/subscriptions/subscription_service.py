"""The requests of a subscription's owner: renew, rotate the secret, issue a ticket, ping.

Each request is one conditional transaction.
"""

import base64
import uuid
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from jobtrack import limits, times
from jobtrack.errors import Conflict, NotFound
from jobtrack.keys import ProjectKey
from jobtrack.push.messages.message import PING
from jobtrack.push.subscriptions.message_factory import service_message
from jobtrack.push.subscriptions.secrets import SealedSecret, Secrets, SigningSecret, Vault, new_signing_secret
from jobtrack.push.subscriptions.subscription import Subscription
from jobtrack.push.subscriptions.subscription_table import SubscriptionTable
from jobtrack.push.subscriptions.tickets import Ticket, new_ticket
from jobtrack.retry import RETRY, Retry
from jobtrack.store import outbox
from jobtrack.store.idempotency import Idempotency, Response, write_once
from jobtrack.store.job_subscriptions import add_listener_action
from jobtrack.store.snapshots import Listener, Snapshot, read_snapshot
from jobtrack.store.too_many_requests import write_with_retries
from jobtrack.store.transactions import commit
from jobtrack.times import Micros

if TYPE_CHECKING:
    from types_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

    from jobtrack.views.responses import subscriptions as responses
    from jobtrack.views.responses.deliveries import QueuedMessage

    Plan = Callable[[Subscription, Micros], tuple[Sequence[TransactWriteItemTypeDef], Response]]
    """The actions that change a live subscription at a moment, and the response."""

OVERLAP_SECONDS = 24 * 3600
"""How long a replaced secret still signs."""


class SubscriptionService(Struct, eq=False):
    """Changes live subscriptions. Each method returns a response, and whether it is that of an earlier request.

    All of them raise NotFound if the project has no such subscription, and Conflict if it has ended or expired.
    """

    subscriptions: SubscriptionTable
    jobs_table: str
    clock: Callable[[], Micros] = times.now
    nonce: Callable[[], str] = lambda: uuid.uuid4().hex[:16]
    retry: Retry = RETRY

    def find(self, owner: ProjectKey, subscription_id: str) -> Subscription:
        """Return a subscription of the project, even if it has ended."""
        subscription = self.subscriptions.find_subscription(owner, subscription_id)
        if subscription is None:
            raise NotFound(f"There is no subscription {subscription_id} in this project.")
        return subscription

    def renew(
        self, owner: ProjectKey, subscription_id: str, seconds: int, idempotency: Idempotency | None = None
    ) -> "tuple[responses.Subscription, bool]":
        """Renew the subscription: it expires this many seconds from now."""

        def plan(
            subscription: Subscription, now: Micros
        ) -> "tuple[Sequence[TransactWriteItemTypeDef], responses.Subscription]":
            renewed = replace(subscription, expires_at=times.add_seconds(times.whole(now), seconds))
            snapshot = self._snapshot(subscription)
            listener = Listener(renewed.expires_at, renewed.interests())
            listener_action = add_listener_action(self.jobs_table, snapshot, subscription_id, listener, now)
            return [listener_action, *self.subscriptions.renew_actions(subscription, renewed)], renewed.response(now)

        return self.change(owner, subscription_id, plan, idempotency)

    def rotate_secret(
        self,
        owner: ProjectKey,
        subscription_id: str,
        vault: Vault,
        idempotency: Idempotency | None = None,
        new_secret: Callable[[], str] = new_signing_secret,
    ) -> "tuple[SealedSecret, bool]":
        """Create a new signing secret, which is returned sealed."""

        def plan(subscription: Subscription, now: Micros) -> "tuple[Sequence[TransactWriteItemTypeDef], SealedSecret]":
            if subscription.stream:
                raise Conflict("A WebSocket subscription has no signing secret.")
            secrets = vault.open(subscription.job, subscription_id, subscription.sealed)
            sealed = vault.seal(subscription.job, subscription_id, rotated(secrets, new_secret(), now))
            return [self.subscriptions.reseal_action(subscription, sealed)], _sealed(subscription, sealed)

        return self.change(owner, subscription_id, plan, idempotency)

    def issue_ticket(
        self,
        owner: ProjectKey,
        subscription_id: str,
        vault: Vault,
        idempotency: Idempotency | None = None,
        new_ticket: Callable[[], str] = new_ticket,
    ) -> "tuple[SealedSecret, bool]":
        """Issue a ticket for one more connection, which is returned sealed."""

        def plan(subscription: Subscription, now: Micros) -> "tuple[Sequence[TransactWriteItemTypeDef], SealedSecret]":
            if not subscription.stream:
                raise Conflict("A webhook subscription has no tickets: only WebSocket clients connect.")
            text = new_ticket()
            sealed = vault.seal(subscription.job, subscription_id, Secrets((), text))
            ticket = Ticket.issued(text, subscription.job, subscription_id, now)
            return [ticket.put_action(self.subscriptions.name)], _sealed(subscription, sealed)

        return self.change(owner, subscription_id, plan, idempotency)

    def ping(
        self, owner: ProjectKey, subscription_id: str, idempotency: Idempotency | None = None
    ) -> "tuple[QueuedMessage, bool]":
        """Queue a `ping`."""

        def plan(subscription: Subscription, now: Micros) -> "tuple[Sequence[TransactWriteItemTypeDef], QueuedMessage]":
            nonce = self.nonce()
            message = service_message(PING, subscription, self._snapshot(subscription).job, now, nonce)
            put = outbox.message_put(
                self.jobs_table, subscription.job, message.message_id, message.encode(), nonce, now
            )
            return [put], {"messageId": message.message_id}

        return self.change(owner, subscription_id, plan, idempotency)

    def change(
        self, owner: ProjectKey, subscription_id: str, plan: "Plan[Response]", idempotency: Idempotency | None = None
    ) -> tuple[Response, bool]:
        """Change the subscription by a plan; return the response, and whether it is that of an earlier request.

        Raises:
            IdempotencyMismatch: the key was used for another request.
            JobBusy: other writers changed the subscription for two seconds.
        """
        return write_with_retries(self.retry, lambda: self._change(owner, subscription_id, plan, idempotency))

    def _change(
        self, owner: ProjectKey, subscription_id: str, plan: "Plan[Response]", idempotency: Idempotency | None
    ) -> tuple[Response, bool]:
        now, dynamodb = self.clock(), self.subscriptions.dynamodb
        if idempotency and (first := idempotency.read_response(dynamodb, self.jobs_table, now)):
            return first, True
        subscription = self.find(owner, subscription_id)
        if not subscription.live(now):
            raise Conflict("The subscription has ended; create a new one.")
        actions, response = plan(subscription, now)
        return write_once(self.jobs_table, idempotency, response, now, lambda more: commit(dynamodb, [*actions, *more]))

    def _snapshot(self, subscription: Subscription) -> Snapshot:
        return read_snapshot(self.subscriptions.dynamodb, self.jobs_table, subscription.job)


def _sealed(subscription: Subscription, sealed: bytes) -> SealedSecret:
    text = base64.b64encode(sealed).decode()
    return {"jobId": subscription.job.job, "subscriptionId": subscription.subscription_id, "sealed": text}


def rotated(secrets: Secrets, secret: str, now: Micros) -> Secrets:
    """Return the secrets with a new one in front.

    The previous secret signs for another day. Earlier secrets sign as long as before.

    Raises:
        Conflict: too many secrets would sign at once.
    """
    previous, *earlier = secrets.signing
    overlapping = [signing for signing in earlier if signing.until is not None and now < signing.until]
    if len(overlapping) + 2 > limits.SIGNING_SECRETS:
        raise Conflict(
            f"Too many rotations: a replaced secret stays valid for 24 hours, and at most {limits.SIGNING_SECRETS}"
            " are valid at once."
        )
    signing = (SigningSecret(secret), replace(previous, until=times.add_seconds(now, OVERLAP_SECONDS)), *overlapping)
    return replace(secrets, signing=signing)
