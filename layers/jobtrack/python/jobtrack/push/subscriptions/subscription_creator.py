"""Creates a subscription of an existing job."""

from typing import TYPE_CHECKING

from msgspec import Struct

from jobtrack import limits
from jobtrack.keys import JobKey
from jobtrack.push.subscriptions.subscription_factory import SubscriptionFactory
from jobtrack.push.subscriptions.subscription_spec import SubscriptionSpec
from jobtrack.store.idempotency import Idempotency
from jobtrack.store.job_subscriptions import ListenerStore, NewListener
from jobtrack.store.snapshots import Listener

if TYPE_CHECKING:
    from jobtrack.views.responses.subscriptions import NewSubscription


class SubscriptionCreator(Struct, eq=False):
    """Stores new subscriptions, and adds them to their jobs as listeners, in one transaction each."""

    listeners: ListenerStore
    subscriptions_table: str
    factory: SubscriptionFactory

    def create_subscription(
        self,
        job: JobKey,
        spec: SubscriptionSpec,
        idempotency: Idempotency | None = None,
        most: int = limits.LIVE_SUBSCRIPTIONS,
    ) -> "tuple[NewSubscription, bool]":
        """Create the subscription; return the response, and whether it is that of an earlier request.

        Raises:
            NotFound: the job does not exist.
            Conflict: the job has ended.
            Unprocessable: the subscription is not possible, or the job has `most` live subscriptions already.
            IdempotencyMismatch: the key was used for another subscription.
        """
        new = self.factory.create(job, spec)
        subscription, response = new.subscription, self.factory.sealed_response(new)
        listener = NewListener(
            job,
            subscription.subscription_id,
            Listener(subscription.expires_at, subscription.interests()),
            lambda last_sequence: new.put_actions(self.subscriptions_table, last_sequence),
            new.replay_since,
            most,
        )
        response, replayed = self.listeners.add_listener(listener, response, idempotency)
        return self.factory.reveal_subscription(job, response), replayed
