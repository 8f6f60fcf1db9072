"""Who listens to a job: added to its snapshot one by one, never written over by a batch."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from jobtrack import limits, times
from jobtrack.domain.job import Json
from jobtrack.errors import Conflict, Unprocessable
from jobtrack.keys import JobKey
from jobtrack.retry import RETRY, Retry
from jobtrack.store import outbox, write_marks
from jobtrack.store.conflict_retry import write_with_retries
from jobtrack.store.idempotency import Idempotency, write_once
from jobtrack.store.outbox_records import Replay, ReplayStep
from jobtrack.store.snapshots import (
    Listener,
    Snapshot,
    decode_snapshot,
    encode_listener,
    read_snapshot_item,
    snapshot_key,
)
from jobtrack.store.transactions import commit

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

    Beside = Callable[[int], Sequence[TransactWriteItemTypeDef]]


class ListenerStore(Struct, eq=False):
    """The listeners of the jobs table's snapshots."""

    dynamodb: "DynamoDBClient"
    table: str
    now: Callable[[], int] = times.now
    retry: Retry = RETRY

    def add_listener(
        self,
        key: JobKey,
        subscription_id: str,
        listener: Listener,
        beside: "Beside",
        response: Json,
        idempotency: Idempotency | None = None,
        since: int | None = None,
        most: int = limits.LIVE_SUBSCRIPTIONS,
    ) -> tuple[Json, bool]:
        """Let a subscription listen from now on; return the response, and whether it is that of an earlier request.

        The job's next version says so: a batch that has read the one before is written anew, with the listener.

        Args:
            key: the job.
            subscription_id: the subscription.
            listener: until when it listens, and for what.
            beside: what is written with it (the subscription itself), given the job's last sequence.
            response: the response if this is the first request with the key.
            idempotency: the client's key, if it sent one.
            since: it is owed, too, what happened after this sequence.
            most: how many live subscriptions the job has at most, with this one.

        Raises:
            NotFound: there is no such job.
            Conflict: the job has ended.
            Unprocessable: the job has as many live subscriptions already.
            IdempotencyMismatch: the key was used for another subscription.
        """
        return write_with_retries(
            self.retry, lambda: self._add(key, subscription_id, listener, beside, response, idempotency, since, most)
        )

    def _add(
        self,
        key: JobKey,
        subscription_id: str,
        listener: Listener,
        beside: "Beside",
        response: Json,
        idempotency: Idempotency | None,
        since: int | None,
        most: int,
    ) -> tuple[Json, bool]:
        now = self.now()
        if idempotency and (first := idempotency.read_response(self.dynamodb, self.table, now // times.SECOND)):
            return first, True
        snapshot = decode_snapshot(key, read_snapshot_item(self.dynamodb, self.table, key))
        if snapshot.job.status.ended:
            raise Conflict(f"The job has ended ({snapshot.job.status}); there is nothing to subscribe to.")
        last = snapshot.job.sequence
        actions = [listening(self.table, snapshot, subscription_id, listener, now, most), *beside(last)]
        if since is not None and since < last:
            replay = Replay(key, subscription_id, ReplayStep(since, last))
            actions.append({"Put": {"TableName": self.table, "Item": outbox.replay_item(replay, now // times.SECOND)}})
        return write_once(
            self.table,
            idempotency,
            response,
            now // times.SECOND,
            lambda more: commit(self.dynamodb, [*actions, *more]),
        )


def listening(
    table: str,
    snapshot: Snapshot,
    subscription_id: str,
    listener: Listener,
    now: int,
    most: int = limits.LIVE_SUBSCRIPTIONS,
) -> "TransactWriteItemTypeDef":
    """The next version, in which the listener listens as told, and those that have expired no more; `now` in µs.

    Raises:
        Unprocessable: the job has `most` other live subscriptions.
    """
    live = snapshot.live(now)
    if len(live.keys() - {subscription_id}) >= most:
        raise Unprocessable(f"The job has {most} live subscriptions already, the most that it may have.")
    gone = [name for name in snapshot.listeners if name not in live and name != subscription_id]
    removal = f" REMOVE {', '.join(f'#subs.#gone{index}' for index in range(len(gone)))}" if gone else ""
    names = {"#id": subscription_id, **{f"#gone{index}": name for index, name in enumerate(gone)}}
    return _update(
        table, snapshot, f", #subs.#id = :listener{removal}", names, {":listener": encode_listener(listener)}
    )


def without(table: str, snapshot: Snapshot, subscription_id: str) -> "TransactWriteItemTypeDef":
    """The next version, in which the subscription no longer listens."""
    return _update(table, snapshot, " REMOVE #subs.#id", {"#id": subscription_id}, {})


def _update(
    table: str, snapshot: Snapshot, change: str, names: dict[str, str], values: dict[str, Any]
) -> "TransactWriteItemTypeDef":
    return {
        "Update": {
            "TableName": table,
            "Key": snapshot_key(snapshot.key),
            "UpdateExpression": f"SET #v = :next, #{write_marks.ATTRIBUTE} = :{write_marks.ATTRIBUTE}{change}",
            "ConditionExpression": "#v = :held",
            "ExpressionAttributeNames": {
                "#v": "v",
                f"#{write_marks.ATTRIBUTE}": write_marks.ATTRIBUTE,
                "#subs": "subs",
                **names,
            },
            "ExpressionAttributeValues": {
                ":held": {"N": str(snapshot.version)},
                ":next": {"N": str(snapshot.version + 1)},
                f":{write_marks.ATTRIBUTE}": {"B": snapshot.marks},
                **values,
            },
        }
    }
