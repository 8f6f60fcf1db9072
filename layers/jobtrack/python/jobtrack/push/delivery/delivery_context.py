"""What is known when a message comes: its delivery so far, its subscription and its endpoint, in one request."""

from jobtrack.classes import frozen
from jobtrack.push.delivery import endpoint_health_table
from jobtrack.push.delivery.delivery_table import Delivery, DeliveryTable
from jobtrack.push.delivery.delivery_table import key as delivery_key
from jobtrack.push.delivery.endpoint_health import EndpointHealth
from jobtrack.push.messages.message import Message
from jobtrack.push.subscriptions.subscription import Subscription
from jobtrack.push.subscriptions.subscription import key as subscription_key
from jobtrack.push.subscriptions.subscription_table import SubscriptionTable
from jobtrack.store.batch_reads import read_items_of_tables


@frozen
class DeliveryContext:
    """How things stand for a message; it was read after `read_at` (epoch seconds)."""

    read_at: float
    delivery: Delivery
    subscription: Subscription | None
    health: EndpointHealth


def standing(
    message: Message, subscriptions: SubscriptionTable, deliveries: DeliveryTable, now: float
) -> DeliveryContext:
    """How things stand for the message, strongly consistent.

    Raises:
        Unavailable: a table is too busy.
    """
    keys = {
        deliveries.name: [delivery_key(message), endpoint_health_table.key(message.group)],
        subscriptions.name: [subscription_key(message.job, message.subscription_id)],
    }
    found = read_items_of_tables(subscriptions.dynamodb, keys, subscriptions.retry)
    beside = {item["pk"]["S"]: item for item in found[deliveries.name]}
    held = next(iter(found[subscriptions.name]), None)
    delivered = beside.get(message.subscription_id)
    return DeliveryContext(
        now,
        Delivery.load(delivered) if delivered else Delivery(),
        Subscription.load(held) if held else None,
        endpoint_health_table.load(beside.get(f"endpoint#{message.group}")),
    )
