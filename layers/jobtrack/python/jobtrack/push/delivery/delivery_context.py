"""What is stored about a message when it arrives: its delivery so far, its subscription and its endpoint."""

from msgspec import Struct

from jobtrack.push.delivery import endpoint_health_table
from jobtrack.push.delivery.delivery import Delivery, delivery_key
from jobtrack.push.delivery.delivery_table import DeliveryTable
from jobtrack.push.delivery.endpoint_health import EndpointHealth
from jobtrack.push.messages.message import Message
from jobtrack.push.subscriptions.subscription import Subscription, subscription_key
from jobtrack.push.subscriptions.subscription_table import SubscriptionTable
from jobtrack.store.batch_reads import read_items_of_tables
from jobtrack.times import Micros


class DeliveryContext(Struct, frozen=True):
    """The stored context of a message. It was read after `read_at`."""

    read_at: Micros
    delivery: Delivery
    subscription: Subscription | None
    health: EndpointHealth


def read_delivery_context(
    message: Message, subscriptions: SubscriptionTable, deliveries: DeliveryTable, now: Micros
) -> DeliveryContext:
    """Read the context of a message in one strongly consistent request.

    Raises:
        Unavailable: a table is too busy.
    """
    keys = {
        deliveries.name: [delivery_key(message), endpoint_health_table.endpoint_key(message.group)],
        subscriptions.name: [subscription_key(message.job, message.subscription_id)],
    }
    items = read_items_of_tables(subscriptions.dynamodb, keys, subscriptions.retry)
    by_partition = {item["pk"]["S"]: item for item in items[deliveries.name]}
    delivery = by_partition.get(message.subscription_id)
    subscription = next(iter(items[subscriptions.name]), None)
    return DeliveryContext(
        now,
        Delivery.from_item(delivery) if delivery else Delivery(),
        Subscription.from_item(subscription) if subscription else None,
        endpoint_health_table.health_from_item(by_partition.get(f"endpoint#{message.group}")),
    )
