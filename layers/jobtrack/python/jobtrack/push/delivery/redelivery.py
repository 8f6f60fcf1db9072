"""Another try by hand of what was, or was not, delivered."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from jobtrack.domain.job import Json
from jobtrack.errors import NotFound
from jobtrack.keys import ProjectKey
from jobtrack.push.delivery.delivery_table import DeliveryTable
from jobtrack.push.subscriptions.subscription import Subscription
from jobtrack.push.subscriptions.subscription_service import SubscriptionService
from jobtrack.store import outbox
from jobtrack.store.idempotency import Idempotency

if TYPE_CHECKING:
    from types_boto3_dynamodb.type_defs import TransactWriteItemTypeDef


class Redelivery(Struct, frozen=True):
    """Owes messages once more: under the same id, with the same body, on a schedule that begins anew."""

    changes: SubscriptionService
    deliveries: DeliveryTable

    def retry(
        self, owner: ProjectKey, subscription_id: str, message_id: str, idempotency: Idempotency | None = None
    ) -> tuple[Json, bool]:
        """Owe the message again, whatever became of it; answers as `SubscriptionService` does.

        Raises:
            NotFound: the project has no such subscription, or it no such delivery.
            Conflict: the subscription has ended.
        """

        def plan(subscription: Subscription, now: float) -> "tuple[Sequence[TransactWriteItemTypeDef], Json]":
            stored = self.deliveries.find(subscription_id, message_id)
            if stored is None:
                raise NotFound(f"There is no delivery {message_id} of this subscription.")
            message = stored.redelivery(subscription, now)
            owed = outbox.message_put(
                self.changes.jobs_table,
                subscription.job,
                message_id,
                message.encode(),
                self.changes.nonce(),
                int(now),
            )
            return [owed, self.deliveries.reopen_action(stored, subscription_id)], {"messageId": message_id}

        return self.changes.make(owner, subscription_id, plan, idempotency)
