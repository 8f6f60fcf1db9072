"""The cost of a webhook, from its message in the queue to its stored delivery."""

import os
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from bench.meter import Meter, Usage
from bench.report import Report
from jobtrack import aws, times
from jobtrack.keys import JobKey
from jobtrack.push.delivery.delivery_table import DeliveryTable
from jobtrack.push.egress.guarded_post import Egress, GuardedConnection, Response
from jobtrack.push.egress.urls import WebhookUrl
from jobtrack.push.subscriptions.message_factory import event_message
from jobtrack.push.subscriptions.secrets import Secrets, SigningSecret, new_signing_secret
from jobtrack.push.subscriptions.subscription import Filters, Subscription
from jobtrack.store.outbox_records import OutboxEvent
from jobtrack_local import environment
from jobtrack_local.engine.provision import provision
from jobtrack_local.stack import load_function
from jobtrack_local.template import template

if TYPE_CHECKING:
    from jobtrack.push.delivery.deliverer import Deliverer


class FastConnection(GuardedConnection):
    """A connection to a receiver that responds at once."""

    def __init__(self) -> None:
        """Open no socket."""

    def post(self, headers: Mapping[str, str], body: bytes) -> Response:
        """Return the response."""
        return Response(204)


class FastEgress(Egress):
    """Connects to a receiver that responds at once."""

    @contextmanager
    def connect(self, url: WebhookUrl) -> Iterator[FastConnection]:
        """Return the connection."""
        yield FastConnection()


def measure(report: Report) -> None:
    """Measure the first message to an endpoint, and a message to an endpoint that is known to be fast."""
    plan = template.load()
    nowhere = environment.own_settings("http://127.0.0.1:1", "none")
    environment.tell_functions(plan, provision(plan), nowhere, os.environ)
    deliverer: Deliverer = load_function("functions/queue/deliverer")._deliverer
    deliverer.webhooks.egress = FastEgress()
    now = times.now()
    deliverer.clock = lambda: now  # on a busy machine the deliverer would read the subscription again before it sends
    meter = Meter(deliverer.deliveries.dynamodb, aws.client("dynamodb"))
    subscription = _subscribed(deliverer)
    first, later = _delivered(deliverer, meter, subscription, 1), _delivered(deliverer, meter, subscription, 2)
    for name, used, requests, reads, writes in (
        ("a webhook, the first to its endpoint", first, 4, 3, 3),
        ("a webhook, its endpoint known to be fast", later, 2, 3, 1),
    ):
        report.add(name, "requests", used.requests, requests)
        report.add(name, "read units", used.read_units, reads)
        report.add(name, "write units", used.write_units, writes)


def _subscribed(deliverer: "Deliverer") -> Subscription:
    job, name, now = JobKey(*(str(uuid.uuid4()) for _ in range(3))), f"sub-{uuid.uuid4()}", times.now()
    token = "0123456789abcdef" * 4
    sealed = deliverer.webhooks.vault.seal(job, name, Secrets((SigningSecret(new_signing_secret()),), token))
    url = f"https://hook.example/{uuid.uuid4()}"
    subscription = Subscription(
        job, name, "webhook", url, ("stageCompleted",), Filters(), "ja", now, times.add_seconds(now, 28_800), sealed
    )
    deliverer.subscriptions.dynamodb.put_item(TableName=deliverer.subscriptions.name, Item=subscription.to_item())
    return subscription


def _delivered(deliverer: "Deliverer", meter: Meter, subscription: Subscription, sequence: int) -> Usage:
    event = OutboxEvent(
        type="stageCompleted",
        sequence=sequence,
        time=times.now(),
        status="Running",
        percentage=25,
        data={"stageName": "Data Loading", "recordsProcessed": 192850, "metrics": {"dataQualityScore": 98.2}},
        labels={"ja": "データ読み込み", "en": "Data loading"},
    )
    message = event_message(subscription.job, "Customer Journey Analysis", subscription, event, times.now())
    if message is None:
        raise AssertionError("it subscribes to just this event")
    with meter.measured() as used:
        deliverer.deliver(message)
    unmetered = DeliveryTable(meter.lookup, deliverer.deliveries.name)
    if (status := unmetered.read_delivery(message).status) != "Delivered":
        raise AssertionError(f"the message is {status}")
    return used
