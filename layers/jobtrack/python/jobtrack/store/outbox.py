"""The outbox: what a batch owes to its listeners, written with the batch or not at all."""

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from jobtrack import limits, times
from jobtrack.domain.events import Applied
from jobtrack.domain.job import Json
from jobtrack.domain.journal.packing import pack
from jobtrack.keys import JobKey
from jobtrack.store.snapshots import Listener, Snapshot

if TYPE_CHECKING:
    from types_boto3_dynamodb.type_defs import AttributeValueTypeDef, TransactWriteItemTypeDef

SORT_KEY = "O#"
KEPT_SECONDS = 2 * 24 * 3600


def records(snapshot: Snapshot, applied: Iterable[Applied], now: int) -> list[dict[str, Any]]:
    """The outbox items of a batch: none where nobody listens to what happened; `now` in µs."""
    live = snapshot.live(now)
    wanted = [_told(each) for each in applied if _heard(each, live)]
    head = {
        "tenantId": snapshot.key.tenant,
        "projectId": snapshot.key.project,
        "jobId": snapshot.key.job,
        "jobName": snapshot.job.name,
        "subscriptions": sorted(live),
    }
    return [
        _item(snapshot.key, f"{part[0]['sequence']:012d}", packed, now // times.SECOND)
        for part, packed in _cut(head, wanted)
    ]


def carrying(table: str, key: JobKey, message_id: str, body: str, nonce: str, now: int) -> "TransactWriteItemTypeDef":
    """The action that owes a message (`body`, as the delivery queue takes it), in any transaction; `now` in seconds.

    The nonce makes it an item of its own, however often the message is owed.
    """
    item = _item(key, f"{message_id}#{nonce}", pack({"messages": [body]}), now)
    return {"Put": {"TableName": table, "Item": item}}


def replay(key: JobKey, subscription_id: str, step: Json, now: int) -> "dict[str, AttributeValueTypeDef]":
    """The item that owes a subscription what happened before it was made, from a step on; `now` in seconds."""
    place = f"{step['up_to']:012d}#{subscription_id}#{step.get('number', 0):06d}"
    job = {"tenantId": key.tenant, "projectId": key.project, "jobId": key.job}
    return _item(key, place, pack({**job, "subscriptions": [subscription_id], "replay": step}), now)


def _item(key: JobKey, place: str, packed: bytes, now: int) -> "dict[str, AttributeValueTypeDef]":
    return {
        "pk": {"S": key.partition},
        "sk": {"S": f"{SORT_KEY}{place}"},
        "d": {"B": packed},
        "exp": {"N": str(now + KEPT_SECONDS)},
    }


def interest(event_type: str, data: Json) -> str:
    """The kind of event that a listener names: log lines are told apart by level, so that DEBUG wakes nobody else."""
    return f"log.{data['level']}" if event_type == "log" else event_type


def _heard(applied: Applied, live: Mapping[str, Listener]) -> bool:
    kind = interest(applied.event.type, applied.event.data)
    return any(kind in listener.interests for listener in live.values())


def _told(applied: Applied) -> Json:
    return {
        "type": applied.event.type,
        "sequence": applied.sequence,
        "time": applied.event.time,
        "status": applied.status,
        "percentage": applied.percentage,
        "previousPercentage": applied.previous_percentage,
        "stage": applied.stage,
        "labels": applied.labels,
        "data": applied.event.data,
    }


def _cut(head: Json, events: list[Json]) -> Iterator[tuple[list[Json], bytes]]:
    """Halve until each part fits an item; one event always does."""
    if not events:
        return
    packed = pack({**head, "events": events})
    if len(packed) <= limits.CHUNK_BYTES or len(events) == 1:
        yield events, packed
        return
    middle = len(events) // 2
    yield from _cut(head, events[:middle])
    yield from _cut(head, events[middle:])
