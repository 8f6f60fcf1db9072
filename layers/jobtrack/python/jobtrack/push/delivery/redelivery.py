"""Redelivery of a message at its owner's request."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from jobtrack.errors import NotFound
from jobtrack.keys import ProjectKey
from jobtrack.push.delivery.delivery_table import DeliveryTable
from jobtrack.push.subscriptions.subscription import Subscription
from jobtrack.push.subscriptions.subscription_service import SubscriptionService
from jobtrack.store import outbox
from jobtrack.store.idempotency import Idempotency
from jobtrack.times import Micros

if TYPE_CHECKING:
    from types_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

    from jobtrack.views.responses.deliveries import QueuedMessage


class Redelivery(Struct, frozen=True):
    """Sends messages again: with the same id and body, and a new retry schedule."""

    subscriptions: SubscriptionService
    deliveries: DeliveryTable

    def retry(
        self, owner: ProjectKey, subscription_id: str, message_id: str, idempotency: Idempotency | None = None
    ) -> "tuple[QueuedMessage, bool]":
        """Send the message again, whatever its status.

        Return the response, and whether it is that of an earlier request.

        Raises:
            NotFound: the project has no such subscription, or the subscription no such delivery.
            Conflict: the subscription has ended.
        """

        def plan(subscription: Subscription, now: Micros) -> "tuple[Sequence[TransactWriteItemTypeDef], QueuedMessage]":
            stored = self.deliveries.find_delivery(subscription_id, message_id)
            if stored is None:
                raise NotFound(f"There is no delivery {message_id} of this subscription.")
            message = stored.redelivery(subscription, now)
            put = outbox.message_put(
                self.subscriptions.jobs_table,
                subscription.job,
                message_id,
                message.encode(),
                self.subscriptions.nonce(),
                now,
            )
            return [put, self.deliveries.reopen_action(stored, subscription_id)], {"messageId": message_id}

        return self.subscriptions.change(owner, subscription_id, plan, idempotency)
