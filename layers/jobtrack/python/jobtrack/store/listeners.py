"""Who listens to a job: added to its snapshot one by one, never written over by a batch."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from jobtrack import limits, times
from jobtrack.errors import Conflict, Unprocessable
from jobtrack.job import Json
from jobtrack.keys import JobKey
from jobtrack.store.attempts import Attempts
from jobtrack.store.idempotency import Idempotency
from jobtrack.store.jobs import JobStore
from jobtrack.store.snapshots import Listener, Snapshot, key_of, listener_value
from jobtrack.store.transactions import Cancelled, commit

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_dynamodb.type_defs import TransactWriteItemTypeDef


@dataclass(slots=True)
class ListenerStore:
    """The listeners of the jobs table's snapshots."""

    dynamodb: "DynamoDBClient"
    table: str
    now: Callable[[], int] = times.now
    attempts: Attempts = field(default_factory=Attempts)

    def add(
        self,
        key: JobKey,
        subscription_id: str,
        listener: Listener,
        beside: "Sequence[TransactWriteItemTypeDef]",
        answer: Json,
        idempotency: Idempotency | None = None,
    ) -> Json | None:
        """Let a subscription listen from now on; answers `None`, or the first answer where the key was used before.

        The job's next version says so: a batch that has read the one before is written anew, with the listener.

        Args:
            key: the job.
            subscription_id: the subscription.
            listener: until when it listens, and for what.
            beside: what is written with it (the subscription itself).
            answer: what is answered again when the same Idempotency-Key comes.
            idempotency: the client's key, if it sent one.

        Raises:
            NotFound: there is no such job.
            Conflict: the job has ended.
            Unprocessable: the job has as many live subscriptions as it may have.
            IdempotencyMismatch: the key was used for another subscription.
        """
        return self.attempts.until_written(
            lambda: self._add(key, subscription_id, listener, beside, answer, idempotency)
        )

    def _add(
        self,
        key: JobKey,
        subscription_id: str,
        listener: Listener,
        beside: "Sequence[TransactWriteItemTypeDef]",
        answer: Json,
        idempotency: Idempotency | None,
    ) -> Json | None:
        now = self.now()
        if idempotency and (first := idempotency.find(self.dynamodb, self.table, now // times.SECOND)):
            return first
        snapshot = JobStore(self.dynamodb, self.table).read(key)
        live = _require_room(snapshot, now)
        actions = [self._update(snapshot, live, subscription_id, listener), *beside]
        if idempotency:
            actions.append(idempotency.record(self.table, answer, now // times.SECOND))
        try:
            commit(self.dynamodb, actions)
        except Cancelled as cancelled:
            refused = cancelled.at(len(actions) - 1) if idempotency else None
            if idempotency and refused and refused.item:
                return idempotency.replay(refused.item)
            raise
        return None

    def _update(
        self, snapshot: Snapshot, live: dict[str, Listener], subscription_id: str, listener: Listener
    ) -> "TransactWriteItemTypeDef":
        """The next version, with one listener more and without those that have expired."""
        gone = [name for name in snapshot.listeners if name not in live]
        names = {"#v": "v", "#subs": "subs", "#id": subscription_id}
        names |= {f"#gone{index}": name for index, name in enumerate(gone)}
        values: dict[str, Any] = {
            ":held": {"N": str(snapshot.version)},
            ":next": {"N": str(snapshot.version + 1)},
            ":listener": listener_value(listener),
        }
        removal = f" REMOVE {', '.join(f'#subs.#gone{index}' for index in range(len(gone)))}" if gone else ""
        return {
            "Update": {
                "TableName": self.table,
                "Key": key_of(snapshot.key),
                "UpdateExpression": f"SET #v = :next, #subs.#id = :listener{removal}",
                "ConditionExpression": "#v = :held",
                "ExpressionAttributeNames": names,
                "ExpressionAttributeValues": values,
            }
        }


def _require_room(snapshot: Snapshot, now: int) -> dict[str, Listener]:
    if snapshot.job.status.ended:
        raise Conflict(f"The job has ended ({snapshot.job.status}); there is nothing to subscribe to.")
    live = snapshot.live(now)
    if len(live) >= limits.LIVE_SUBSCRIPTIONS:
        raise Unprocessable(f"A job has at most {limits.LIVE_SUBSCRIPTIONS} live subscriptions.")
    return live
