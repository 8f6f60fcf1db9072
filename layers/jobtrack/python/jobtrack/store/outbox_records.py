"""The records of the outbox: what is still to be sent to the receivers of a job's events, and the stored form."""

from typing import Any, Self

from jobtrack.classes import frozen
from jobtrack.domain.events import Applied
from jobtrack.domain.job import Json
from jobtrack.domain.journal.packing import pack, unpack
from jobtrack.keys import JobKey


@frozen
class OutboxEvent:
    """An event of a job, and the job's status and percentage right after it; `time` in microseconds."""

    type: str
    sequence: int
    time: int
    status: str
    percentage: int
    data: Json
    previous_percentage: int | None = None
    stage: str | None = None
    labels: dict[str, str] | None = None

    @classmethod
    def from_applied(cls, applied: Applied) -> Self:
        """Return the event as the job's writer applied it."""
        return cls(
            type=applied.event.type,
            sequence=applied.sequence,
            time=applied.event.time,
            status=applied.status,
            percentage=applied.percentage,
            data=applied.event.data,
            previous_percentage=applied.previous_percentage,
            stage=applied.stage,
            labels=applied.labels,
        )


@frozen
class EventBatch:
    """Reported events, and the subscriptions that were live when they were stored."""

    job: JobKey
    job_name: str
    subscription_ids: tuple[str, ...]
    events: tuple[OutboxEvent, ...]


@frozen
class ReadyMessage:
    """A complete message: `body` goes into the delivery queue as it is."""

    body: str


@frozen
class ReplayStep:
    """How far the replay of the events after `since`, up to `up_to`, has come; both are sequences.

    Args:
        since: the replay begins after this sequence.
        up_to: the last sequence of the replay.
        number: counts the steps.
        place: the last place that was read of the timeline.
        timeline_done: whether the timeline was read to its end.
        logged: the last sequence that was read of the log lines.
        statuses: the statuses that the job had so far, each with its first sequence.
        percentages: the same for its percentages.
    """

    since: int
    up_to: int
    number: int = 0
    place: tuple[int, int] | None = None
    timeline_done: bool = False
    logged: int | None = None
    statuses: tuple[tuple[str, int], ...] = ()
    percentages: tuple[tuple[int, int], ...] = ()


@frozen
class Replay:
    """Events that happened before a subscription was made, read from the journal step by step."""

    job: JobKey
    subscription_id: str
    step: ReplayStep


OutboxRecord = EventBatch | ReadyMessage | Replay

_KINDS: dict[type[OutboxRecord], str] = {EventBatch: "events", ReadyMessage: "message", Replay: "replay"}


def encode(record: OutboxRecord) -> bytes:
    """Return the record as it is stored."""
    return pack({"kind": _KINDS[type(record)], "record": record})


def decode(data: bytes) -> OutboxRecord:
    """Return the record that `encode` stored.

    Raises:
        Exception: the data is not a record: of `zstandard`, `orjson` or Python, depending on what is wrong.
    """
    stored = unpack(data)
    match stored["kind"]:
        case "events":
            return _event_batch(**stored["record"])
        case "message":
            return ReadyMessage(**stored["record"])
        case "replay":
            return _replay(**stored["record"])
    raise ValueError(f"unknown kind of outbox record: {stored['kind']}")


def _event_batch(job: Json, job_name: str, subscription_ids: list[str], events: list[Json]) -> EventBatch:
    decoded = tuple([OutboxEvent(**event) for event in events])
    return EventBatch(JobKey(**job), job_name, tuple(subscription_ids), decoded)


def _replay(job: Json, subscription_id: str, step: dict[str, Any]) -> Replay:
    lists = {name: tuple([(value, first) for value, first in step[name]]) for name in ("statuses", "percentages")}
    place = tuple(step["place"]) if step["place"] else None
    return Replay(JobKey(**job), subscription_id, ReplayStep(**{**step, **lists, "place": place}))
