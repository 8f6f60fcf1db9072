"""Shared by tests of pushing: subscriptions in tables, a scripted receiver, a queue with a test clock."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace
from standardwebhooks.webhooks import Webhook

from jobtrack import aws, times
from jobtrack.domain.events import EventName
from jobtrack.keys import JobKey
from jobtrack.push.delivery.circuit_breaker import CircuitBreaker
from jobtrack.push.delivery.deliverer import Deliverer
from jobtrack.push.delivery.delivery import Delivery
from jobtrack.push.delivery.delivery_table import DeliveryTable
from jobtrack.push.delivery.endpoint_health import EndpointHealth
from jobtrack.push.delivery.endpoint_health_table import EndpointHealthTable
from jobtrack.push.delivery.webhook_sender import WebhookSender
from jobtrack.push.egress.guarded_post import Egress, EgressError, GuardedConnection, Response
from jobtrack.push.egress.urls import WebhookUrl
from jobtrack.push.messages.delivery_queue import DeliveryQueue
from jobtrack.push.messages.message import Message
from jobtrack.push.subscriptions.message_factory import endpoint_group, event_message
from jobtrack.push.subscriptions.secrets import Secrets, SigningSecret, Vault, new_signing_secret
from jobtrack.push.subscriptions.subscription import Filters, Subscription
from jobtrack.push.subscriptions.subscription_ender import SubscriptionEnder
from jobtrack.push.subscriptions.subscription_table import SubscriptionTable
from jobtrack.push.websockets.connection_table import ConnectionTable
from jobtrack.push.websockets.socket_sender import SocketSender
from jobtrack.settings import Settings
from jobtrack.store.outbox_records import OutboxEvent
from jobtrack.times import Micros
from tests.management import Gateway, Step
from tests.retrying import instant_retry

if TYPE_CHECKING:
    from botocore.client import BaseClient
    from types_boto3_dynamodb import DynamoDBClient

JOB = JobKey(*(f"{digit * 8}-0000-4000-8000-000000000000" for digit in "123"))
NOW = times.parse("2026-11-23T10:45:33Z")
URL = "https://hook.example/events"
SECRET = new_signing_secret()
TOKEN = "the-token-of-the-receiver"


def after(seconds: float) -> Micros:
    """Return the time that is `seconds` after `NOW`."""
    return times.add_seconds(NOW, seconds)


def elapsed(moment: Micros) -> float:
    """Return the seconds from `NOW` to a time."""
    return times.seconds_between(NOW, moment)


def subscription(name: str = "sub-1", **changes: Any) -> Subscription:
    """Return an active subscription to stages, errors and logs, for eight hours from `NOW`."""
    events: tuple[EventName, ...] = ("stageCompleted", "error", "log")
    base = Subscription(JOB, name, "webhook", URL, events, Filters(), "ja", NOW, after(28_800), b"")
    return replace(base, **changes)


def store(dynamodb: "DynamoDBClient", vault: Vault, *subscriptions: Subscription) -> None:
    """Encrypt secrets for the subscriptions, and store them."""
    for one in subscriptions:
        secrets = Secrets((SigningSecret(SECRET),), TOKEN)
        sealed = vault.seal(one.job, one.subscription_id, secrets)
        for item in replace(one, sealed=sealed).to_items():
            dynamodb.put_item(TableName="SubscriptionsTable", Item=item)


def event(sequence: int, event_type: str = "stageCompleted", **data: Any) -> OutboxEvent:
    """Return an event as the outbox stores it."""
    return OutboxEvent(event_type, sequence, NOW, "Running", 40, data or {"stageName": "Mining"})


def message(sequence: int = 1, one: Subscription | None = None) -> Message:
    """Return the dispatcher's message for an event."""
    made = event_message(JOB, "a job", one or subscription(), event(sequence), NOW)
    assert made is not None
    return made


@dataclass
class Clock:
    """A clock that the test sets."""

    now: Micros = NOW
    alarms: list[tuple[Micros, Callable[[], None]]] = field(default_factory=list)

    def __call__(self) -> Micros:
        return self.now

    def seconds(self) -> float:
        """Return the time in seconds, as a monotonic clock counts it."""
        return self.now / times.SECOND

    def pass_by(self, seconds: float) -> None:
        """Advance the time, and run the actions that are due meanwhile."""
        end = times.add_seconds(self.now, seconds)
        while due := [alarm for alarm in self.alarms if alarm[0] <= end]:
            self.now, act = first = min(due, key=lambda alarm: alarm[0])
            self.alarms.remove(first)
            act()
        self.now = end

    def alarm(self, seconds: float, act: Callable[[], None]) -> Callable[[], None]:
        """Schedule an action; the returned function cancels it."""
        set_up = (times.add_seconds(self.now, seconds), act)
        self.alarms.append(set_up)
        return lambda: self.alarms.remove(set_up) if set_up in self.alarms else None


def _nothing() -> None:
    """A step that never ends the process."""


class _ReceiverConnection(GuardedConnection):
    def __init__(self, receiver: "Receiver", url: WebhookUrl) -> None:
        self.receiver = receiver
        self.url = url

    def post(self, headers: Mapping[str, str], body: bytes) -> Response:
        return self.receiver.respond(self.url, headers, body)


class Receiver(Egress):
    """Accepts posts, checks the signature, and returns scripted responses; the last one is repeated."""

    def __init__(self, clock: Clock, *answers: Response | EgressError) -> None:
        self.clock = clock
        self.answers = list(answers) or [Response(200)]
        self.connecting = self.answering = 0.0
        self.posted: list[tuple[Micros, WebhookUrl, Mapping[str, str], bytes]] = []
        self.step: Step = _nothing

    @contextmanager
    def connect(self, url: WebhookUrl) -> Iterator[GuardedConnection]:
        self.step()
        self.clock.pass_by(self.connecting)
        yield _ReceiverConnection(self, url)

    def respond(self, url: WebhookUrl, headers: Mapping[str, str], body: bytes) -> Response:
        self.posted.append((self.clock(), url, headers, body))
        self.step()
        self.clock.pass_by(self.answering)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, EgressError):
            raise answer
        return answer

    @property
    def ids(self) -> list[str]:
        return [headers["webhook-id"] for _, _, headers, _ in self.posted]

    def verified(self, secret: str) -> list[Any]:
        """Return the bodies, verified with the public library."""
        for _, _, headers, body in self.posted:
            moment = datetime.fromtimestamp(int(headers["webhook-timestamp"]), UTC)
            wanted = Webhook(secret).sign(headers["webhook-id"], moment, body.decode())
            assert wanted in headers["webhook-signature"].split(" ")
        return [json.loads(body) for *_, body in self.posted]


@dataclass
class FakeSqs:
    """A queue whose delays follow the test's clock."""

    clock: Clock
    waiting: list[tuple[Micros, dict[str, Any]]] = field(default_factory=list)
    refuse: list[str] = field(default_factory=list)
    step: Step = _nothing

    def send_message_batch(self, QueueUrl: str, Entries: list[dict[str, Any]]) -> dict[str, Any]:
        failed = [entry["Id"] for entry in Entries if entry["Id"] in self.refuse]
        for name in failed:
            self.refuse.remove(name)
        taken = [entry for entry in Entries if entry["Id"] not in failed]
        self.step()
        self.waiting += [
            (times.add_seconds(self.clock(), entry["DelaySeconds"]), {**entry, "QueueUrl": QueueUrl}) for entry in taken
        ]
        self.step()
        return {"Successful": taken, "Failed": [{"Id": name, "Code": "InternalError"} for name in failed]}

    def take(self) -> list[str]:
        """Return the bodies of the messages that are due."""
        due = [entry["MessageBody"] for at, entry in self.waiting if at <= self.clock()]
        self.waiting = [(at, entry) for at, entry in self.waiting if at > self.clock()]
        return due

    def run(self, deliver: Callable[[Message], None]) -> None:
        """Deliver every message at its time, until none is left."""
        while self.waiting:
            self.clock.now = max(self.clock.now, min(at for at, _ in self.waiting))
            for body in self.take():
                deliver(Message.decode(body))


class World:
    """A deliverer with real tables and key, and with a receiver, a queue and a clock of the test."""

    def __init__(self, *answers: Response | EgressError, subscribed: Subscription | None = None) -> None:
        self.clock = Clock()
        self.receiver, self.gateway = Receiver(self.clock, *answers), Gateway()
        self.sqs = FakeSqs(self.clock)
        self.dynamodb, self.kms = aws.client("dynamodb"), aws.client("kms")
        key = Settings.from_env().secrets_key_id
        subscriptions = SubscriptionTable(self.dynamodb, "SubscriptionsTable")
        self.health = EndpointHealthTable(self.dynamodb, "DeliveriesTable", self.clock)
        self.ender = SubscriptionEnder(subscriptions, "JobsTable", self.clock)
        self.deliverer = Deliverer(
            subscriptions=subscriptions,
            ender=self.ender,
            deliveries=DeliveryTable(self.dynamodb, "DeliveriesTable", self.clock),
            queue=DeliveryQueue(self.sqs, "queue", self.clock, instant_retry(), "slow"),  # type: ignore[arg-type]
            breaker=CircuitBreaker(
                self.health, self.clock, lambda: 0.5, instant_retry(self.clock.pass_by), timer=self.clock.alarm
            ),
            webhooks=WebhookSender(Vault(self.kms, key, self.clock.seconds), self.receiver, {443}, clock=self.clock),
            sockets=SocketSender(
                self.gateway.sockets, ConnectionTable(self.dynamodb, "SubscriptionsTable", self.clock)
            ),
            clock=self.clock,
            random=lambda: 0.5,
        )
        self.subscription = subscribed or subscription()
        store(self.dynamodb, Vault(self.kms, key), self.subscription)  # another process than the one that decrypts them

    def deliver(self, one: Message) -> None:
        self.deliverer.deliver(one)

    def delivered(self, one: Message) -> Delivery:
        return self.deliverer.deliveries.read_delivery(one)

    def known(self) -> EndpointHealth:
        """Return the health of the subscription's endpoint."""
        return self.health.read_health(endpoint_group(self.subscription))

    def stored(self) -> Subscription | None:
        return self.deliverer.subscriptions.read_subscription(JOB, "sub-1")


class Crash(BaseException):
    """The process ends here."""


@contextmanager
def crashing(at: int, *clients: "BaseClient", fakes: Sequence[Receiver | FakeSqs | Gateway] = ()) -> Iterator[None]:
    """End the process at step `at`. Each call has two steps, one before it and one after."""
    steps = count()

    def step(**_: Any) -> None:
        if next(steps) == at:
            raise Crash

    for client in clients:
        client.meta.events.register("before-call", step, unique_id="crash")
        client.meta.events.register("after-call", step, unique_id="crash-after")
    for fake in fakes:
        fake.step = step
    try:
        yield
    finally:
        for client in clients:
            client.meta.events.unregister("before-call", unique_id="crash")
            client.meta.events.unregister("after-call", unique_id="crash-after")
        for fake in fakes:
            fake.step = _nothing
