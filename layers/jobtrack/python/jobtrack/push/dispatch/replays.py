"""Reads the events from before a subscription was created from the journal, in the form of the outbox.

The timeline is read first, in the order of time. It shows the job's status and percentage at each sequence. The log
lines are read next, in the order of their sequences. They do not contain the status and the percentage. A step reads a
page of the timeline and a page of log lines.
"""

from collections.abc import Iterable, Mapping, Sequence
from operator import attrgetter
from typing import TYPE_CHECKING, TypeVar

from msgspec import Struct, field
from msgspec.structs import replace

from jobtrack.domain.job import Job, JobStatus
from jobtrack.domain.journal.records import LEVELS, Family, Record
from jobtrack.push.subscriptions.subscription import Subscription
from jobtrack.store.journal_reader import JournalQuery, JournalReader
from jobtrack.store.log_follower import LogFollower
from jobtrack.store.outbox_records import OutboxEvent, ReplayStep
from jobtrack.store.snapshots import Snapshot, read_snapshot

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_dynamodb.type_defs import AttributeValueTypeDef

PAGE = 1000
"""How many timeline entries, and how many log lines, a step reads."""

_Value = TypeVar("_Value", str, int)

_TIMELINE = (Family.EVENT, Family.PROGRESS)
_STAGE_EVENTS = frozenset({"stageStarted", "stageCompleted", "stageFailed", "stageSkipped"})


class StatusHistory(Struct):
    """The first sequence of each status and percentage of a job, which never returns to an earlier value."""

    statuses: dict[str, int] = field(default_factory=dict)
    percentages: dict[int, int] = field(default_factory=dict)

    def add(self, events: Iterable[OutboxEvent]) -> None:
        """Add the status and percentage of each event; the events may be in any order."""
        for event in events:
            sequence = event.sequence
            self.statuses[event.status] = min(sequence, self.statuses.get(event.status, sequence))
            self.percentages[event.percentage] = min(sequence, self.percentages.get(event.percentage, sequence))

    def status_at(self, sequence: int) -> str:
        """Return the job's status right after an event, once the whole timeline was added."""
        return _last_value(self.statuses, sequence)

    def percentage_at(self, sequence: int) -> int:
        """Return the job's percentage right after an event, once the whole timeline was added."""
        return _last_value(self.percentages, sequence)


class Replays(Struct, eq=False):
    """Reads past events from the jobs table."""

    dynamodb: "DynamoDBClient"
    table: str
    page: int = PAGE

    def read(
        self, subscription: Subscription, step: ReplayStep
    ) -> tuple[str, Sequence[OutboxEvent], ReplayStep | None]:
        """Return the job's name, the events of this step by sequence, and the next step, if there is one.

        Raises:
            NotFound: the job has been deleted.
        """
        snapshot = self._read_snapshot(subscription)
        history = StatusHistory(dict(step.statuses), dict(step.percentages))
        levels = _levels(subscription)
        read = step
        events: list[OutboxEvent] = []
        if not read.timeline_done:
            events, read = self._read_timeline(snapshot, read, history)
        if read.timeline_done and levels:
            lines, read = self._read_log(snapshot, read, history, levels)
            events += lines
        ordered = sorted((event for event in events if _is_within(step, event)), key=attrgetter("sequence"))
        done = read.timeline_done and (not levels or read.logged == read.up_to)
        return snapshot.job.name, ordered, None if done else _next_step(read, history)

    def read_in_order(
        self, subscription: Subscription, since: int, limit: int
    ) -> tuple[str, Sequence[OutboxEvent], int]:
        """Return the job's name, the events that the subscription wants after a sequence, and the last sequence read.

        About the first `limit` events are returned. This reads the whole timeline, but not the whole log.

        Raises:
            NotFound: the job has been deleted.
        """
        snapshot = self._read_snapshot(subscription)
        step, history = ReplayStep(since, max(since, snapshot.job.sequence)), StatusHistory()
        events: list[OutboxEvent] = []
        while not step.timeline_done and since < step.up_to:
            entries, step = self._read_timeline(snapshot, step, history)
            wanted = (event for event in entries if _is_within(step, event) and subscription.wants(event))
            events = sorted([*events, *wanted], key=attrgetter("sequence"))[: limit + 1]
        if len(events) > limit:
            step = replace(step, up_to=events[limit - 1].sequence)
        if step.timeline_done and (levels := _levels(subscription)):
            lines, step = self._read_log(snapshot, step, history, levels)
            events += (event for event in lines if subscription.wants(event))
        last = step.up_to if step.logged is None else step.logged
        ordered = sorted((event for event in events if event.sequence <= last), key=attrgetter("sequence"))
        return snapshot.job.name, ordered, last

    def put_item(self, item: "dict[str, AttributeValueTypeDef]") -> None:
        """Store the outbox item of the next step."""
        self.dynamodb.put_item(TableName=self.table, Item=item)

    def _read_snapshot(self, subscription: Subscription) -> Snapshot:
        return read_snapshot(self.dynamodb, self.table, subscription.job)

    def _read_timeline(
        self, snapshot: Snapshot, step: ReplayStep, history: StatusHistory
    ) -> tuple[list[OutboxEvent], ReplayStep]:
        page = JournalQuery(_TIMELINE, limit=self.page, backward=False, after=step.place)
        records, more = JournalReader(self.dynamodb, self.table).read_page(snapshot, page)
        events = [timeline_event(record, snapshot.job) for record in records]
        history.add(events)
        return events, replace(step, place=records[-1].place if records else step.place, timeline_done=not more)

    def _read_log(
        self, snapshot: Snapshot, step: ReplayStep, history: StatusHistory, levels: Sequence[Family]
    ) -> tuple[list[OutboxEvent], ReplayStep]:
        since = step.since if step.logged is None else step.logged
        records, last = LogFollower(self.dynamodb, self.table).read_lines(
            snapshot, JournalQuery(levels, limit=self.page), since
        )
        events = [log_event(record, history) for record in records if record.sequence <= step.up_to]
        return events, replace(step, logged=min(last, step.up_to))


def timeline_event(record: Record, job: Job) -> OutboxEvent:
    """Return the outbox event of a timeline entry."""
    body = record.body
    if record.family is Family.PROGRESS:
        stage_name, (percentage, previous) = body.get("stage"), body["percentages"]
        event_type = "progressUpdate"
    else:
        event_type, percentage, previous = body["type"], body.get("percentage", 0), None
        stage_name = body["data"]["stageName"] if event_type in _STAGE_EVENTS else None
    stage = job.stage(stage_name) if stage_name else None
    return OutboxEvent(
        type=event_type,
        sequence=record.sequence,
        time=record.time,
        status=body.get("status", JobStatus.RUNNING),
        percentage=percentage,
        data=body["data"],
        previous_percentage=previous,
        stage=stage_name,
        labels=stage.labels if stage else None,
    )


def log_event(record: Record, history: StatusHistory) -> OutboxEvent:
    """Return the outbox event of a log line."""
    members = dict(zip(("message", "component", "stage", "details"), record.body, strict=False))
    present = {name: value for name, value in members.items() if value is not None}
    return OutboxEvent(
        type="log",
        sequence=record.sequence,
        time=record.time,
        status=history.status_at(record.sequence),
        percentage=history.percentage_at(record.sequence),
        data={"level": record.family.name, **present},
    )


def _levels(subscription: Subscription) -> list[Family]:
    interests = subscription.interests()
    return [level for level in LEVELS if f"log.{level.name}" in interests]


def _is_within(step: ReplayStep, event: OutboxEvent) -> bool:
    return step.since < event.sequence <= step.up_to


def _next_step(step: ReplayStep, history: StatusHistory) -> ReplayStep:
    statuses, percentages = tuple(history.statuses.items()), tuple(history.percentages.items())
    return replace(step, number=step.number + 1, statuses=statuses, percentages=percentages)


def _last_value(first_sequences: Mapping[_Value, int], sequence: int) -> _Value:
    """Return the last value that was reached up to the sequence."""
    return max((first, value) for value, first in first_sequences.items() if first <= sequence)[1]
