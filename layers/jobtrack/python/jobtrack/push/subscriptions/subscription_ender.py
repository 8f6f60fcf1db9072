"""The end of a subscription, by its owner, its receiver or its expiry.

One transaction ends it, removes the listener from the job's snapshot, and stores the message to the receiver.
"""

import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING

from msgspec import Struct

from jobtrack import times
from jobtrack.domain.subscription_states import EndReason
from jobtrack.errors import NotFound
from jobtrack.keys import JobKey
from jobtrack.push.messages.message import ENDED
from jobtrack.push.subscriptions.message_factory import service_message
from jobtrack.push.subscriptions.subscription import Subscription, status_after, subscription_key
from jobtrack.push.subscriptions.subscription_table import SubscriptionTable
from jobtrack.retry import RETRY, Retry
from jobtrack.store import outbox
from jobtrack.store.job_subscriptions import remove_listener_action
from jobtrack.store.snapshots import Snapshot, read_snapshot
from jobtrack.store.too_many_requests import write_with_retries
from jobtrack.store.transactions import commit
from jobtrack.times import Micros

if TYPE_CHECKING:
    from types_boto3_dynamodb.type_defs import TransactWriteItemTypeDef


class SubscriptionEnder(Struct, eq=False):
    """Ends subscriptions. A subscription ends only once, even if two processes end it for different reasons."""

    subscriptions: SubscriptionTable
    jobs_table: str
    clock: Callable[[], Micros] = times.now
    nonce: Callable[[], str] = lambda: uuid.uuid4().hex[:16]
    retry: Retry = RETRY

    def end(self, job: JobKey, subscription_id: str, reason: EndReason) -> None:
        """End a live subscription (`deleted`, `gone`), or one that has expired (`expired`); otherwise do nothing.

        Raises:
            JobBusy: other writers changed the job for two seconds.
        """
        write_with_retries(self.retry, lambda: self._end(job, subscription_id, reason))

    def _end(self, job: JobKey, subscription_id: str, reason: EndReason) -> None:
        now = self.clock()
        subscription = self.subscriptions.read_subscription(job, subscription_id)
        if subscription is None or subscription.status != "Active":
            return
        if subscription.live(now) == (reason == "expired"):
            return
        commit(self.subscriptions.dynamodb, self._actions(subscription, reason, now))

    def _actions(self, subscription: Subscription, reason: EndReason, now: Micros) -> "list[TransactWriteItemTypeDef]":
        snapshot = self._snapshot(subscription.job)
        nonce = self.nonce()
        job = snapshot.job if snapshot else None
        message = service_message(ENDED, subscription, job, now, nonce, reason)
        actions = [
            _end_action(self.subscriptions.name, subscription, reason),
            outbox.message_put(self.jobs_table, message.job, message.message_id, message.encode(), nonce, now),
        ]
        if snapshot and subscription.subscription_id in snapshot.listeners:
            actions.append(remove_listener_action(self.jobs_table, snapshot, subscription.subscription_id))
        return actions

    def _snapshot(self, job: JobKey) -> Snapshot | None:
        """Return the job's snapshot; None if the job was deleted before the subscription."""
        try:
            return read_snapshot(self.subscriptions.dynamodb, self.jobs_table, job)
        except NotFound:
            return None


def _end_action(table: str, subscription: Subscription, reason: EndReason) -> "TransactWriteItemTypeDef":
    """Return the action that ends a subscription, unless it has ended or was renewed since it was read."""
    return {
        "Update": {
            "TableName": table,
            "Key": subscription_key(subscription.job, subscription.subscription_id),
            "UpdateExpression": "SET #status = :ended, endReason = :reason",
            "ConditionExpression": "#status = :active AND expiresAt = :seen",
            "ExpressionAttributeNames": {"#status": "status"},
            "ExpressionAttributeValues": {
                ":ended": {"S": status_after(reason)},
                ":active": {"S": "Active"},
                ":seen": {"N": str(subscription.expires_at)},
                ":reason": {"S": reason},
            },
        }
    }
