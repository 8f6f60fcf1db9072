"""What happened before a subscription was made, read from the journal as the events that the outbox would have held.

First the timeline is walked, in order of time, and with it is learnt where the job stood at each sequence; then the log
lines, in order of sequence. A step reads a page of each; what is left is the next step's.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field, replace
from typing import TYPE_CHECKING, TypeVar

from jobtrack.classes import frozen, mutable, service
from jobtrack.domain.job import Job, Json, Status
from jobtrack.domain.journal.journal import LEVELS, Family, Record
from jobtrack.push.subscriptions.subscription import Event, Subscription
from jobtrack.store.journal_reader import JournalReader, Range
from jobtrack.store.log_follower import LogFollower
from jobtrack.store.snapshots import Snapshot, decode_snapshot, read_snapshot_item

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_dynamodb.type_defs import AttributeValueTypeDef

PAGE = 1000
"""Entries of either kind that a step reads."""

_Value = TypeVar("_Value", str, int)

_TIMELINE = (Family.EVENT, Family.PROGRESS)
_OF_A_STAGE = frozenset({"stageStarted", "stageCompleted", "stageFailed", "stageSkipped"})


@mutable
class Standing:
    """At which sequence a job first had each status, and each percentage: neither ever comes back."""

    statuses: dict[str, int] = field(default_factory=dict)
    percentages: dict[int, int] = field(default_factory=dict)

    def learn(self, events: Iterable[Event]) -> None:
        """Take in what the events tell; they come in any order."""
        for event in events:
            sequence, status, percentage = event["sequence"], event["status"], event["percentage"]
            self.statuses[status] = min(sequence, self.statuses.get(status, sequence))
            self.percentages[percentage] = min(sequence, self.percentages.get(percentage, sequence))

    def at(self, sequence: int) -> Json:
        """The status and percentage right after an event, once all are learnt."""
        return {"status": _last(self.statuses, sequence), "percentage": _last(self.percentages, sequence)}

    def dump(self) -> Json:
        """As the next step finds it."""
        return {"statuses": [*self.statuses.items()], "percentages": [*self.percentages.items()]}

    @classmethod
    def load(cls, stored: Json) -> "Standing":
        """Read what was dumped."""
        return cls(dict(stored["statuses"]), dict(stored["percentages"]))


@frozen
class Step:
    """How far a replay of what lies after `since`, up to `up_to`, is: the timeline by place, the log by sequence."""

    since: int
    up_to: int
    number: int = 0
    place: tuple[int, int] | None = None
    walked: bool = False
    logged: int | None = None
    standing: Json | None = None

    @classmethod
    def load(cls, stored: Json) -> "Step":
        """Read what was stored in the outbox."""
        place = stored.get("place")
        return cls(**{**stored, "place": tuple(place) if place else None})


@service
class Replays:
    """Reads the jobs table."""

    dynamodb: "DynamoDBClient"
    table: str
    page: int = PAGE

    def read(self, subscription: Subscription, step: Step) -> tuple[str, list[Event], Step | None]:
        """The job's name, the events of this step by sequence, and the step that is left to do.

        Raises:
            NotFound: the job is no longer kept.
        """
        snapshot = decode_snapshot(subscription.job, read_snapshot_item(self.dynamodb, self.table, subscription.job))
        standing = Standing.load(step.standing) if step.standing else Standing()
        events: list[Event] = []
        if not step.walked:
            events, step = self._walk(snapshot, step, standing)
        if step.walked and (levels := _levels(subscription)):
            lines, step = self._follow(snapshot, step, standing, levels)
            events += lines
        over = step.walked and (not levels or step.logged == step.up_to)
        wanted = sorted((each for each in events if _within(step, each)), key=_sequence)
        rest = None if over else replace(step, number=step.number + 1, standing=standing.dump())
        return snapshot.job.name, wanted, rest

    def ordered(self, subscription: Subscription, since: int, most: int) -> tuple[str, list[Event], int]:
        """The job's name, what the subscription wants of what follows a sequence, by sequence, and up to which one.

        About `most` events are given, the first; the timeline is walked whole for them, the log lines are not.

        Raises:
            NotFound: the job is no longer kept.
        """
        snapshot = decode_snapshot(subscription.job, read_snapshot_item(self.dynamodb, self.table, subscription.job))
        step, standing = Step(since, max(since, snapshot.job.sequence)), Standing()
        events: list[Event] = []
        while not step.walked and since < step.up_to:
            walked, step = self._walk(snapshot, step, standing)
            wanted = (each for each in walked if _within(step, each) and subscription.wants(each))
            events = sorted([*events, *wanted], key=_sequence)[: most + 1]
        if len(events) > most:
            step = replace(step, up_to=_sequence(events[most - 1]))
        if step.walked and (levels := _levels(subscription)):
            lines, step = self._follow(snapshot, step, standing, levels)
            events += (each for each in lines if subscription.wants(each))
        up_to = step.up_to if step.logged is None else step.logged
        return snapshot.job.name, sorted((each for each in events if _sequence(each) <= up_to), key=_sequence), up_to

    def owe(self, item: "dict[str, AttributeValueTypeDef]") -> None:
        """Put the outbox's item of the next step."""
        self.dynamodb.put_item(TableName=self.table, Item=item)

    def _walk(self, snapshot: Snapshot, step: Step, standing: Standing) -> tuple[list[Event], Step]:
        asked = Range(_TIMELINE, limit=self.page, backward=False, after=step.place)
        records, more = JournalReader(self.dynamodb, self.table).read_page(snapshot, asked)
        events = [timeline_event(record, snapshot.job) for record in records]
        standing.learn(events)
        return events, replace(step, place=records[-1].place if records else step.place, walked=not more)

    def _follow(
        self, snapshot: Snapshot, step: Step, standing: Standing, levels: Sequence[Family]
    ) -> tuple[list[Event], Step]:
        since = step.since if step.logged is None else step.logged
        asked = Range(levels, limit=self.page)
        records, known = LogFollower(self.dynamodb, self.table).read_lines(snapshot, asked, since)
        events = [log_event(record, standing) for record in records if record.sequence <= step.up_to]
        return events, replace(step, logged=min(known, step.up_to))


def timeline_event(record: Record, job: Job) -> Event:
    """An update or another event of the timeline, as the outbox tells it."""
    body = record.body
    if record.family is Family.PROGRESS:
        name, (percentage, previous) = body.get("stage"), body["percentages"]
        kind = "progressUpdate"
    else:
        kind, percentage, previous = body["type"], body.get("percentage", 0), None
        name = body["data"]["stageName"] if kind in _OF_A_STAGE else None
    stage = job.stage(name) if name else None
    return {
        "type": kind,
        "sequence": record.sequence,
        "time": record.time,
        "status": body.get("status", Status.RUNNING),
        "percentage": percentage,
        "previousPercentage": previous,
        "stage": name,
        "labels": stage.labels if stage else None,
        "data": body["data"],
    }


def log_event(record: Record, standing: Standing) -> Event:
    """A log line, as the outbox tells it."""
    told = dict(zip(("message", "component", "stage", "details"), record.body, strict=False))
    return {
        "type": "log",
        "sequence": record.sequence,
        "time": record.time,
        **standing.at(record.sequence),
        "previousPercentage": None,
        "stage": None,
        "labels": None,
        "data": {"level": record.family.name, **{name: value for name, value in told.items() if value is not None}},
    }


def _levels(subscription: Subscription) -> list[Family]:
    wanted = subscription.interests()
    return [level for level in LEVELS if f"log.{level.name}" in wanted]


def _sequence(event: Event) -> int:
    return int(event["sequence"])


def _within(step: Step, event: Event) -> bool:
    return step.since < _sequence(event) <= step.up_to


def _last(reached: Mapping[_Value, int], sequence: int) -> _Value:
    """The value that was reached last, up to the sequence."""
    return max((first, value) for value, first in reached.items() if first <= sequence)[1]
