"""The records of the outbox, and their stored form. A record will be sent to the receivers of a job's events."""

from typing import Self

from msgspec import Struct

from jobtrack.domain.events import AppliedEvent
from jobtrack.domain.job import Json
from jobtrack.domain.journal.packing import pack, unpack
from jobtrack.keys import JobKey
from jobtrack.times import Micros


class OutboxEvent(Struct, frozen=True):
    """An event of a job, and the job's status and percentage right after it."""

    type: str
    sequence: int
    time: Micros
    status: str
    percentage: int
    data: Json
    previous_percentage: int | None = None
    stage: str | None = None
    labels: dict[str, str] | None = None

    @classmethod
    def from_applied(cls, applied: AppliedEvent) -> Self:
        """Return the outbox event of an applied event."""
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


class EventBatch(Struct, frozen=True, tag_field="kind", tag="events"):
    """Reported events, and the subscriptions that were live when they were stored."""

    job: JobKey
    job_name: str
    subscription_ids: tuple[str, ...]
    events: tuple[OutboxEvent, ...]


class ReadyMessage(Struct, frozen=True, tag_field="kind", tag="message"):
    """A complete message: `body` goes into the delivery queue as it is."""

    body: str


class ReplayStep(Struct, frozen=True):
    """The progress of a replay.

    Args:
        since: the replay begins after this sequence.
        up_to: the last sequence of the replay.
        number: counts the steps.
        place: the place of the last timeline entry that was read.
        timeline_done: whether the timeline was read to its end.
        logged: the sequence up to which log lines were read.
        statuses: the statuses that the job had so far, each with its first sequence.
        percentages: the percentages that the job had so far, each with its first sequence.
    """

    since: int
    up_to: int
    number: int = 0
    place: tuple[int, int] | None = None
    timeline_done: bool = False
    logged: int | None = None
    statuses: tuple[tuple[str, int], ...] = ()
    percentages: tuple[tuple[int, int], ...] = ()


class Replay(Struct, frozen=True, tag_field="kind", tag="replay"):
    """A replay of the events from before a subscription was created. It reads the journal step by step."""

    job: JobKey
    subscription_id: str
    step: ReplayStep


OutboxRecord = EventBatch | ReadyMessage | Replay


def encode(record: OutboxRecord) -> bytes:
    """Return the record as it is stored."""
    return pack(record)


def decode(data: bytes) -> OutboxRecord:
    """Return the record that `encode` stored.

    Raises:
        msgspec.DecodeError: the data is not a record.
        zstandard.ZstdError: the data is not compressed.
    """
    record: OutboxRecord = unpack(data, OutboxRecord)
    return record
