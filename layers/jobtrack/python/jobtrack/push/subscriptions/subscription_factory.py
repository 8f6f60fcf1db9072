"""New subscriptions, with their signing secrets or tickets."""

import base64
import uuid
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, cast

from msgspec import Struct
from msgspec.structs import replace

from jobtrack import times
from jobtrack.errors import Fault, Unprocessable
from jobtrack.keys import JobKey, ProjectKey
from jobtrack.push.egress.urls import check_url
from jobtrack.push.subscriptions.secrets import SealedSecret, Secrets, SigningSecret, Vault, new_signing_secret
from jobtrack.push.subscriptions.stream_state import StreamState
from jobtrack.push.subscriptions.subscription import Subscription
from jobtrack.push.subscriptions.subscription_spec import SubscriptionSpec
from jobtrack.push.subscriptions.tickets import Ticket, new_ticket
from jobtrack.times import Micros

if TYPE_CHECKING:
    from types_boto3_dynamodb.type_defs import AttributeValueTypeDef, TransactWriteItemTypeDef

    from jobtrack.views.responses import subscriptions as responses

    class SealedSubscription(responses.Subscription):
        """A new subscription's response as it is stored."""

        sealed: str


class NewSubscription(Struct, frozen=True):
    """A subscription that is not stored yet.

    Args:
        subscription: the subscription.
        sealed: the secret that is returned once, sealed.
        ticket: the first ticket of a WebSocket.
        since: the sequence after which events are wanted, if the request has one.
    """

    subscription: Subscription
    sealed: bytes
    ticket: Ticket | None = None
    since: int | None = None

    @property
    def replay_since(self) -> int | None:
        """The sequence after which events are replayed to a webhook; a WebSocket begins at this position instead."""
        return None if self.ticket else self.since

    def to_items(self, last_sequence: int) -> "list[dict[str, AttributeValueTypeDef]]":
        """Return the items to store, where `last_sequence` is the job's last sequence."""
        if self.ticket is None:
            return self.subscription.to_items()
        position = last_sequence if self.since is None else min(self.since, last_sequence)
        subscription = replace(self.subscription, stream=StreamState(last_sequence, position))
        return [*subscription.to_items(), self.ticket.to_item()]

    def put_actions(self, table: str, last_sequence: int) -> "list[TransactWriteItemTypeDef]":
        """Return the actions that store the subscription."""
        condition = "attribute_not_exists(pk)"
        puts = [
            {"TableName": table, "Item": item, "ConditionExpression": condition}
            for item in self.to_items(last_sequence)
        ]
        return [{"Put": put} for put in puts]  # type: ignore[typeddict-item]


class SubscriptionFactory(Struct, frozen=True):
    """Creates requested subscriptions; `ports` and `allow_loopback` restrict the URLs of webhooks."""

    vault: Vault
    ports: Collection[int]
    allow_loopback: bool = False
    websocket_url: str = ""
    clock: Callable[[], Micros] = times.now
    new_id: Callable[[], uuid.UUID] = uuid.uuid4
    new_secret: Callable[[], str] = new_signing_secret
    new_ticket: Callable[[], str] = new_ticket

    def create(self, job: JobKey, spec: SubscriptionSpec, pointer: str = "") -> NewSubscription:
        """Return the requested subscription, not stored yet; `pointer` is its JSON pointer in the request's body.

        Raises:
            Unprocessable: the URL is not allowed, or a member does not fit the type of the subscription.
        """
        if spec.type == "websocket":
            return self._websocket(job, spec, pointer)
        self._check_url(spec.url, f"{pointer}/webhookUrl")
        subscription = self._subscription(job, spec)
        secrets = Secrets((SigningSecret(self.new_secret()),), spec.token)
        sealed = self.vault.seal(job, subscription.subscription_id, secrets)
        return NewSubscription(replace(subscription, sealed=sealed), sealed, since=spec.since)

    def _websocket(self, job: JobKey, spec: SubscriptionSpec, pointer: str) -> NewSubscription:
        for name, value in (("webhookUrl", spec.url), ("authentication", spec.token)):
            if value is not None:
                raise _refused(f"{pointer}/{name}", "is allowed for webhooks only")
        subscription, text = self._subscription(job, spec), self.new_ticket()
        ticket = Ticket.issued(text, job, subscription.subscription_id, self.clock())
        sealed = self.vault.seal(job, subscription.subscription_id, Secrets((), text))
        return NewSubscription(subscription, sealed, ticket, spec.since)

    def _subscription(self, job: JobKey, spec: SubscriptionSpec) -> Subscription:
        now = times.whole(self.clock())
        return Subscription(
            job=job,
            subscription_id=f"sub-{self.new_id()}",
            type=spec.type,
            url=spec.url,
            events=spec.events,
            filters=spec.filters,
            language=spec.language,
            created_at=now,
            expires_at=times.add_seconds(now, spec.lifetime),
            sealed=b"",
        )

    def _check_url(self, url: str | None, pointer: str) -> None:
        if url is None:
            raise _refused(pointer, "is required for a webhook")
        try:
            check_url(url, self.ports, self.allow_loopback)
        except ValueError as error:
            raise _refused(pointer, str(error)) from error

    def sealed_response(self, new: NewSubscription) -> "SealedSubscription":
        """Return the response as it is stored: its secret is sealed."""
        sealed = base64.b64encode(new.sealed).decode()
        return {**new.subscription.response(new.subscription.created_at), "sealed": sealed}

    def reveal_subscription(self, job: JobKey, stored: "SealedSubscription") -> "responses.NewSubscription":
        """Return the response as it is sent, with the signing secret, or the URL that contains the ticket."""
        members = {name: value for name, value in stored.items() if name != "sealed"}
        response = cast("responses.NewSubscription", members)
        if response["subscriptionType"] == "webhook":
            response["signingSecret"] = self.reveal_signing_secret(job, stored)["signingSecret"]
        else:
            response["websocketUrl"] = self.reveal_ticket(job, stored)["websocketUrl"]
        return response

    def reveal_signing_secret(self, owner: ProjectKey, stored: SealedSecret) -> "responses.NewSecret":
        """Return the response with a signing secret."""
        return {"signingSecret": self._open(owner, stored).signing[0].secret}

    def reveal_ticket(self, owner: ProjectKey, stored: SealedSecret) -> "responses.NewTicket":
        """Return the response with the URL that contains a ticket."""
        return {"websocketUrl": f"{self.websocket_url}?ticket={self._open(owner, stored).token}"}

    def _open(self, owner: ProjectKey, stored: SealedSecret) -> Secrets:
        return self.vault.open(
            owner.job_key(stored["jobId"]), stored["subscriptionId"], base64.b64decode(stored["sealed"])
        )


def _refused(pointer: str, detail: str) -> Unprocessable:
    return Unprocessable(f"{pointer} {detail}.", [Fault(pointer, detail)])
