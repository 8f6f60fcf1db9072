"""The listeners of a job: its live subscriptions, stored in its snapshot.

They are added and removed one by one; batches of events never overwrite them.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from jobtrack import limits, times
from jobtrack.errors import Conflict, Unprocessable
from jobtrack.keys import JobKey
from jobtrack.retry import RETRY, Retry
from jobtrack.store import outbox, write_marks
from jobtrack.store.idempotency import Idempotency, Response, write_once
from jobtrack.store.outbox_records import Replay, ReplayStep
from jobtrack.store.snapshots import Listener, Snapshot, encode_listener, read_snapshot, snapshot_key
from jobtrack.store.too_many_requests import write_with_retries
from jobtrack.store.transactions import commit
from jobtrack.times import Micros

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

    CreateActions = Callable[[int], Sequence[TransactWriteItemTypeDef]]


class NewListener(Struct, frozen=True):
    """A listener to add.

    Args:
        job: the job.
        subscription_id: the subscription.
        listener: when the subscription expires, and the kinds of event it wants.
        create_actions: given the job's last sequence, returns the actions that write the subscription itself.
        since: if given, the events after this sequence are also sent to it.
        max_listeners: how many live subscriptions the job may have, including this one.
    """

    job: JobKey
    subscription_id: str
    listener: Listener
    create_actions: "CreateActions" = lambda last_sequence: ()
    since: int | None = None
    max_listeners: int = limits.LIVE_SUBSCRIPTIONS


class ListenerStore(Struct, eq=False):
    """Adds listeners to jobs."""

    dynamodb: "DynamoDBClient"
    table: str
    now: Callable[[], Micros] = times.now
    retry: Retry = RETRY

    def add_listener(
        self, new: NewListener, response: Response, idempotency: Idempotency | None = None
    ) -> tuple[Response, bool]:
        """Add a listener; return the response, and whether it is that of an earlier request.

        The listener is part of the job's next version. A concurrent batch that read the previous version is retried, so
        the listener also gets its events.

        Raises:
            NotFound: there is no such job.
            Conflict: the job has ended.
            Unprocessable: the job has the maximum number of live subscriptions.
            IdempotencyMismatch: the key was used for another subscription.
            JobBusy: other writers were faster until the time limit.
        """
        return write_with_retries(self.retry, lambda: self._add(new, response, idempotency))

    def _add(self, new: NewListener, response: Response, idempotency: Idempotency | None) -> tuple[Response, bool]:
        now = self.now()
        if idempotency and (first := idempotency.read_response(self.dynamodb, self.table, now)):
            return first, True
        snapshot = read_snapshot(self.dynamodb, self.table, new.job)
        if snapshot.job.status.ended:
            raise Conflict(f"The job has ended ({snapshot.job.status}), so it has no more events to subscribe to.")
        last = snapshot.job.sequence
        actions = [
            add_listener_action(self.table, snapshot, new.subscription_id, new.listener, now, new.max_listeners),
            *new.create_actions(last),
        ]
        if new.since is not None and new.since < last:
            replay = Replay(new.job, new.subscription_id, ReplayStep(new.since, last))
            actions.append({"Put": {"TableName": self.table, "Item": outbox.replay_item(replay, now)}})
        return write_once(self.table, idempotency, response, now, lambda more: commit(self.dynamodb, [*actions, *more]))


def add_listener_action(
    table: str,
    snapshot: Snapshot,
    subscription_id: str,
    listener: Listener,
    now: Micros,
    max_listeners: int = limits.LIVE_SUBSCRIPTIONS,
) -> "TransactWriteItemTypeDef":
    """Return the action that adds or replaces a listener, and removes listeners that have expired at `now`.

    Raises:
        Unprocessable: the job has `max_listeners` other live subscriptions.
    """
    live = snapshot.live(now)
    if len(live.keys() - {subscription_id}) >= max_listeners:
        raise Unprocessable(f"The job already has {max_listeners} live subscriptions, the maximum.")
    expired = [name for name in snapshot.listeners if name not in live and name != subscription_id]
    removal = f" REMOVE {', '.join(f'#subs.#expired{index}' for index in range(len(expired)))}" if expired else ""
    names = {"#id": subscription_id, **{f"#expired{index}": name for index, name in enumerate(expired)}}
    return _update(
        table, snapshot, f", #subs.#id = :listener{removal}", names, {":listener": encode_listener(listener)}
    )


def remove_listener_action(table: str, snapshot: Snapshot, subscription_id: str) -> "TransactWriteItemTypeDef":
    """Return the action that removes a listener."""
    return _update(table, snapshot, " REMOVE #subs.#id", {"#id": subscription_id}, {})


def _update(
    table: str, snapshot: Snapshot, change: str, names: dict[str, str], values: dict[str, Any]
) -> "TransactWriteItemTypeDef":
    """Return the action that writes the job's next version, which differs from the snapshot in its listeners only."""
    return {
        "Update": {
            "TableName": table,
            "Key": snapshot_key(snapshot.key),
            "UpdateExpression": f"SET #v = :next, #{write_marks.ATTRIBUTE} = :{write_marks.ATTRIBUTE}{change}",
            "ConditionExpression": "#v = :stored",
            "ExpressionAttributeNames": {
                "#v": "v",
                f"#{write_marks.ATTRIBUTE}": write_marks.ATTRIBUTE,
                "#subs": "subs",
                **names,
            },
            "ExpressionAttributeValues": {
                ":stored": {"N": str(snapshot.version)},
                ":next": {"N": str(snapshot.version + 1)},
                f":{write_marks.ATTRIBUTE}": {"B": snapshot.marks},
                **values,
            },
        }
    }
