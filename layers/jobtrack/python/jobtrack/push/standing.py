"""What is known when a message comes: its delivery so far, its subscription and its endpoint, in one request."""

from jobtrack.classes import frozen
from jobtrack.push import health_table
from jobtrack.push.deliveries import Delivery, DeliveryTable
from jobtrack.push.deliveries import key as delivery_key
from jobtrack.push.health import Health
from jobtrack.push.messages import Message
from jobtrack.push.reading import read
from jobtrack.push.subscription import Subscription
from jobtrack.push.subscription import key as subscription_key
from jobtrack.push.subscription_table import SubscriptionTable


@frozen
class Standing:
    """How things stand for a message; it was read after `read_at` (epoch seconds)."""

    read_at: float
    delivery: Delivery
    subscription: Subscription | None
    health: Health


def standing(message: Message, subscriptions: SubscriptionTable, deliveries: DeliveryTable, now: float) -> Standing:
    """How things stand for the message, strongly consistent.

    Raises:
        ReadError: a table is too busy.
    """
    keys = {
        deliveries.name: [delivery_key(message), health_table.key(message.group)],
        subscriptions.name: [subscription_key(message.job, message.subscription_id)],
    }
    found = read(subscriptions.dynamodb, keys, subscriptions.sleep)
    beside = {item["pk"]["S"]: item for item in found[deliveries.name]}
    held = next(iter(found[subscriptions.name]), None)
    delivered = beside.get(message.subscription_id)
    return Standing(
        now,
        Delivery.load(delivered) if delivered else Delivery(),
        Subscription.load(held) if held else None,
        health_table.load(beside.get(f"endpoint#{message.group}")),
    )
