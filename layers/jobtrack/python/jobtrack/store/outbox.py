"""The outbox: the messages that a write causes. They are stored in the same transaction as the write."""

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from msgspec.structs import replace

from jobtrack import limits, times
from jobtrack.domain.events import AppliedEvent
from jobtrack.domain.job import Json
from jobtrack.keys import JobKey
from jobtrack.store.item_kinds import OUTBOX_RECORD
from jobtrack.store.outbox_records import EventBatch, OutboxEvent, ReadyMessage, Replay, encode
from jobtrack.store.snapshots import Listener, Snapshot
from jobtrack.store.ttl import encode_expiry
from jobtrack.times import Micros

if TYPE_CHECKING:
    from types_boto3_dynamodb.type_defs import AttributeValueTypeDef, TransactWriteItemTypeDef

    Item = dict[str, AttributeValueTypeDef]

SORT_KEY = "O#"
KEPT_SECONDS = 2 * 24 * 3600


def event_items(snapshot: Snapshot, applied: Iterable[AppliedEvent], now: Micros) -> "list[Item]":
    """Return the items of a batch of events; none if no subscription wants any of the events."""
    if not (live := snapshot.live(now)):
        return []
    events = tuple([OutboxEvent.from_applied(event) for event in applied if _is_wanted(event, live)])
    batch = EventBatch(snapshot.key, snapshot.job.name, tuple(sorted(live)), events)
    return [_item(snapshot.key, f"{part.events[0].sequence:012d}", encoded, now) for part, encoded in _split(batch)]


def message_put(
    table: str, key: JobKey, message_id: str, body: str, nonce: str, now: Micros
) -> "TransactWriteItemTypeDef":
    """Return the action that stores a message; `body` is the body for the delivery queue.

    Because of the nonce, every call stores a new item, even for a message that was stored before.
    """
    return {"Put": {"TableName": table, "Item": _item(key, f"{message_id}#{nonce}", encode(ReadyMessage(body)), now)}}


def replay_item(replay: Replay, now: Micros) -> "Item":
    """Return the item of the next step of a replay."""
    place = f"{replay.step.up_to:012d}#{replay.subscription_id}#{replay.step.number:06d}"
    return _item(replay.job, place, encode(replay), now)


def _item(key: JobKey, place: str, encoded: bytes, now: Micros) -> "Item":
    return {
        "pk": {"S": key.partition},
        "sk": {"S": f"{SORT_KEY}{place}"},
        **OUTBOX_RECORD.stamp,
        "d": {"B": encoded},
        "exp": encode_expiry(times.add_seconds(now, KEPT_SECONDS)),
    }


def interest(event_type: str, data: Json) -> str:
    """Return the kind of event as listeners name it. The kind of a log line contains the level, as in `log.WARN`."""
    return f"log.{data['level']}" if event_type == "log" else event_type


def _is_wanted(applied: AppliedEvent, live: Mapping[str, Listener]) -> bool:
    kind = interest(applied.event.type, applied.event.data)
    return any(kind in listener.interests for listener in live.values())


def _split(batch: EventBatch) -> Iterator[tuple[EventBatch, bytes]]:
    """Halve the batch until each part fits into an item; a single event always does."""
    if not batch.events:
        return
    encoded = encode(batch)
    if len(encoded) <= limits.CHUNK_BYTES or len(batch.events) == 1:
        yield batch, encoded
        return
    middle = len(batch.events) // 2
    yield from _split(replace(batch, events=batch.events[:middle]))
    yield from _split(replace(batch, events=batch.events[middle:]))
