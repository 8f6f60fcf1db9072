"""The outbox: what a batch owes to its listeners, written with the batch or not at all."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from jobtrack import limits, times
from jobtrack.job import Json
from jobtrack.packing import pack
from jobtrack.reported import Applied
from jobtrack.store.snapshots import Listener, Snapshot

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
        {
            "pk": {"S": snapshot.key.partition},
            "sk": {"S": f"{SORT_KEY}{part[0]['sequence']:012d}"},
            "d": {"B": packed},
            "exp": {"N": str(now // times.SECOND + KEPT_SECONDS)},
        }
        for part, packed in _cut(head, wanted)
    ]


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
