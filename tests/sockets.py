"""Shared by tests of WebSockets: a job, a WebSocket subscription, and everything between them."""

import base64
import uuid
from typing import TYPE_CHECKING, Any, cast

from jobtrack import aws, times
from jobtrack.api.schemas.subscriptions import SubscribeRequest
from jobtrack.domain.events import Event
from jobtrack.domain.job import Job
from jobtrack.keys import JobKey
from jobtrack.push.delivery.circuit_breaker import CircuitBreaker
from jobtrack.push.delivery.deliverer import Deliverer
from jobtrack.push.delivery.delivery_table import DeliveryTable
from jobtrack.push.delivery.endpoint_health_table import EndpointHealthTable
from jobtrack.push.dispatch.dispatcher import Dispatcher
from jobtrack.push.dispatch.quarantine import QuarantineTable
from jobtrack.push.dispatch.replays import Replays
from jobtrack.push.messages.delivery_queue import DeliveryQueue, decode
from jobtrack.push.messages.message import Message
from jobtrack.push.messages.wake import Wake
from jobtrack.push.subscriptions.secrets import Vault
from jobtrack.push.subscriptions.subscription import Subscription
from jobtrack.push.subscriptions.subscription_ender import SubscriptionEnder
from jobtrack.push.subscriptions.subscription_factory import SubscriptionFactory
from jobtrack.push.subscriptions.subscription_table import SubscriptionTable
from jobtrack.push.subscriptions.tickets import Ticket, new_ticket
from jobtrack.push.websockets.backlog import Backlog
from jobtrack.push.websockets.connection_service import ConnectionService
from jobtrack.push.websockets.connection_table import ConnectionTable
from jobtrack.push.websockets.socket_sender import SocketSender
from jobtrack.push.websockets.stream_leases import StreamLeaseTable
from jobtrack.push.websockets.streamer import Streamer
from jobtrack.store.job_subscriptions import ListenerStore, NewListener
from jobtrack.store.jobs import JobStore
from jobtrack.store.outbox import SORT_KEY
from jobtrack.store.snapshots import Listener, Snapshot
from tests.management import Gateway
from tests.pushing import Clock, Crash, FakeSqs, crashing
from tests.retrying import instant_retry

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_kms import KMSClient
    from types_boto3_sqs import SQSClient

    from jobtrack.push.delivery.webhook_sender import WebhookSender

WANTED, UNWANTED = "milestone", "log"


class _Kms:
    def encrypt(self, Plaintext: bytes, **_: Any) -> dict[str, Any]:
        return {"CiphertextBlob": b"sealed"}


class SocketWorld:
    """A job, a WebSocket subscription and everything between them on real tables, with a test's clock and network."""

    def __init__(self, before: "SocketWorld | None" = None) -> None:
        """Return a new world that reuses the client of an earlier one, because creating a client takes long."""
        self.clock, self.gateway = Clock(), Gateway()
        self.sqs = FakeSqs(self.clock)
        self.dynamodb: DynamoDBClient = before.dynamodb if before else aws.client("dynamodb")
        self.job = JobKey(*(str(uuid.uuid4()) for _ in range(3)))
        self.jobs = JobStore(self.dynamodb, "JobsTable", now=self.clock)
        self.jobs.create(Snapshot(self.job, 0, Job(self.job.job, "a job", "mining", self.clock())), "b", {})
        self.subscriptions = SubscriptionTable(self.dynamodb, "SubscriptionsTable")
        self.ender = SubscriptionEnder(self.subscriptions, "JobsTable", self.clock)
        self.table = ConnectionTable(self.dynamodb, "SubscriptionsTable", self.clock)
        self.deliveries = DeliveryTable(self.dynamodb, "DeliveriesTable", self.clock)
        self.queue = DeliveryQueue(cast("SQSClient", self.sqs), "queue", self.clock, instant_retry())
        sockets = self.gateway.sockets
        self.sender = SocketSender(sockets, self.table, self.clock)
        self.deliverer = Deliverer(
            self.subscriptions,
            self.ender,
            self.deliveries,
            self.queue,
            CircuitBreaker(EndpointHealthTable(self.dynamodb, "DeliveriesTable", self.clock), self.clock),
            cast("WebhookSender", None),
            self.sender,
            self.clock,
            random=lambda: 0.5,
        )
        self.connections = ConnectionService(
            self.table, self.subscriptions, "JobsTable", self.queue, sockets, self.clock
        )
        self.streamer = Streamer(
            StreamLeaseTable(self.dynamodb, "SubscriptionsTable", self.clock),
            Backlog(self.dynamodb, "JobsTable", self.clock),
            self.deliveries,
            self.queue,
            self.sender,
            self.clock,
        )
        self.dispatcher = Dispatcher(
            self.subscriptions,
            self.queue,
            Replays(self.dynamodb, "JobsTable"),
            QuarantineTable(self.dynamodb, "QuarantineTable", self.clock),
            self.clock,
        )
        self.dispatched: set[str] = set()
        self.wanted: list[int] = []
        self.name = ""

    def subscribe(self, since: int | None = None, **wanted: Any) -> str:
        """Subscribe to milestones, or to other events, and return the subscription's id."""
        asked = {"subscriptionType": "websocket", "events": [WANTED], "sinceSequence": since, **wanted}
        spec = SubscribeRequest.model_validate(asked).spec()
        vault = Vault(cast("KMSClient", _Kms()), "key")
        made = SubscriptionFactory(vault, {443}, clock=self.clock).create(self.job, spec)
        one = made.subscription
        listener = NewListener(
            self.job,
            one.subscription_id,
            Listener(one.expires_at, one.interests()),
            lambda last: made.put_actions("SubscriptionsTable", last),
            made.replay_since,
        )
        ListenerStore(self.dynamodb, "JobsTable", now=self.clock).add_listener(listener, {})
        self.name = one.subscription_id
        return self.name

    def report(self, *kinds: str) -> None:
        """A batch of events: milestones, and log lines without a subscriber."""
        data = {WANTED: {"description": "m"}, UNWANTED: {"level": "INFO", "message": "m"}}
        last = self.jobs.read_snapshot(self.job).job.sequence
        self.jobs.report(self.job, [Event(kind, self.clock(), data.get(kind, {})) for kind in kinds])
        self.wanted += [last + place for place, kind in enumerate(kinds, 1) if kind == WANTED]

    def dispatch(self, again: bool = False) -> None:
        """Yield the outbox items that the stream has not delivered yet, or all of them."""
        records = [
            {
                "dynamodb": {
                    "SequenceNumber": item["sk"]["S"],
                    "Keys": {},
                    "NewImage": {"f": item["f"], "d": {"B": _base64(item)}},
                }
            }
            for item in self.outbox()
            if again or item["sk"]["S"] not in self.dispatched
        ]
        assert self.dispatcher.dispatch(records) == []
        self.dispatched |= {record["dynamodb"]["SequenceNumber"] for record in records}

    def outbox(self) -> list[Any]:
        """Return the job's outbox items."""
        return self.dynamodb.query(
            TableName="JobsTable",
            ConsistentRead=True,
            KeyConditionExpression="pk = :pk AND begins_with(sk, :sk)",
            ExpressionAttributeValues={":pk": {"S": self.job.partition}, ":sk": {"S": SORT_KEY}},
        )["Items"]

    def serve(self, body: str) -> None:
        """Handle a message of the queue as the deliverer does."""
        match decode(body):
            case Message() as message:
                self.deliverer.deliver(message)
            case Wake() as wake:
                self.streamer.serve(wake)

    def run(self, seconds: float = 120) -> None:
        """Run the queue, up to a limit in seconds."""
        end = times.add_seconds(self.clock(), seconds)
        while self.sqs.waiting and (due := min(at for at, _ in self.sqs.waiting)) <= end:
            self.clock.now = max(self.clock.now, due)
            for body in self.sqs.take():
                self.serve(body)

    def crash(self, at: int) -> bool:
        """Process due messages in a process that ends at step `at`; unacknowledged messages return."""
        bodies = self.sqs.take()
        with crashing(at, self.dynamodb, fakes=(self.sqs, self.gateway)):
            try:
                for body in tuple(bodies):
                    self.serve(body)
                    bodies.remove(body)
            except Crash:
                visible = times.add_seconds(self.clock(), 180)
                self.sqs.waiting += [(visible, {"MessageBody": body}) for body in bodies]
                return True
        return False

    def stored(self) -> Subscription:
        found = self.subscriptions.read_subscription(self.job, self.name)
        assert found is not None
        return found

    def ticket(self) -> str:
        """Return a ticket as the API creates it."""
        text = new_ticket()
        item = Ticket.issued(text, self.job, self.name, self.clock()).to_item()
        self.dynamodb.put_item(TableName="SubscriptionsTable", Item=item)
        return text


def _base64(item: Any) -> str:
    return base64.b64encode(bytes(item["d"]["B"])).decode()
