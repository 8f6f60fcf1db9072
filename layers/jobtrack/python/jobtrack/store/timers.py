"""Timers: when to check a job or a subscription.

A timer is written in the transaction that makes it necessary, and deleted after it was served. A timer that is too
early is harmless: the function that serves it reads the stored item and finds nothing to do.

`HEARTBEAT`: has a running job fallen silent? The timer is due when the job's heartbeat is due. Reports that arrive in
time do not move it, so they cost no extra write: the watchdog moves it once it is due.

`EXTENSION`: would older items of a job expire before the job? A report puts a timer every eighth of the retention.

`RETENTION`: has an open job not reported for the retention? The creation of a job puts a timer, which is due when the
job expires. Reports do not move it: once it is due, it is moved to the job's new expiry.

`EXPIRY`: has a subscription expired? The timer is due at `expiresAt`, and each renewal puts a new timer.
"""

import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Literal

from msgspec import Struct

from jobtrack import times
from jobtrack.errors import UnreadableFormat
from jobtrack.keys import JobKey
from jobtrack.store.batch_writes import delete_items, put_items
from jobtrack.store.item_kinds import JOB_TIMER, SUBSCRIPTION_TIMER, ItemKind
from jobtrack.store.ttl import encode_expiry
from jobtrack.times import Micros

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

Kind = Literal["heartbeat", "extension", "retention", "expiry"]
HEARTBEAT: Kind = "heartbeat"
EXTENSION: Kind = "extension"
RETENTION: Kind = "retention"
EXPIRY: Kind = "expiry"

SHARDS = 4
"""Partitions for the timers of each kind: enough for thousands of timers a second, few enough to query all."""
_PAGE_SIZE = 100


class Timer(Struct, frozen=True):
    """The time at which to check a job, or one of its subscriptions.

    Args:
        kind: what to check.
        job: the job.
        due: when the timer is due.
        subscription_id: the subscription, if the timer is about one.
        resume_after: the sort key at which an interrupted run continues.
    """

    kind: Kind
    job: JobKey
    due: Micros
    subscription_id: str = ""
    resume_after: str = ""

    @classmethod
    def for_heartbeat(cls, job: JobKey, deadline: Micros) -> "Timer":
        """The timer of a heartbeat. It is due right after the heartbeat's deadline."""
        return cls(HEARTBEAT, job, Micros(deadline + 1))

    @property
    def key(self) -> dict[str, Any]:
        """The primary key: each shard holds timers of all tenants, in the order in which they are due."""
        subject = f"{self.job.partition}#{self.subscription_id}".rstrip("#")
        shard = zlib.crc32(subject.encode()) % SHARDS
        return {"pk": {"S": _partition(self.kind, shard)}, "sk": {"S": f"{self.due:018d}#{subject}"}}

    def to_item(self, kept_seconds: int) -> dict[str, Any]:
        """The timer as it is stored; it expires `kept_seconds` after it is due."""
        resume_after = {"after": {"S": self.resume_after}} if self.resume_after else {}
        # A retention timer does not expire: only this timer makes the service delete the job.
        expires = times.LATEST if self.kind == RETENTION else times.add_seconds(self.due, kept_seconds)
        return {**self.key, **_item_kind(self.kind).stamp, **resume_after, "exp": encode_expiry(expires)}

    @classmethod
    def from_item(cls, kind: Kind, item: Mapping[str, Any]) -> "Timer":
        """The timer in an item.

        Raises:
            UnreadableFormat: another release stored it.
        """
        _item_kind(kind).check(item)
        due, tenant, project, job, *subscription = item["sk"]["S"].split("#")
        resume_after = item.get("after", {"S": ""})["S"]
        return cls(kind, JobKey(tenant, project, job), Micros(int(due)), "".join(subscription), resume_after)

    def put_action(self, table: str, kept_seconds: int) -> "TransactWriteItemTypeDef":
        """The action that puts the timer."""
        return {"Put": {"TableName": table, "Item": self.to_item(kept_seconds)}}

    def delete_action(self, table: str) -> "TransactWriteItemTypeDef":
        """The action that deletes the timer, if it still exists."""
        return {"Delete": {"TableName": table, "Key": self.key}}


class TimerStore(Struct, frozen=True):
    """The timers of one kind in a table; each expires `kept_seconds` after it is due."""

    dynamodb: "DynamoDBClient"
    table: str
    kind: Kind
    kept_seconds: int

    def read_due_timers(self, now: Micros) -> Iterator[list[Timer]]:
        """Yield the timers that are due at `now`, page by page; the earliest of each shard first.

        Each minute, another shard is first, so that no shard starves when the time of a run is short. Timers that this
        release cannot read stay where they are.
        """
        first = now // times.MINUTE
        for turn in range(SHARDS):
            for items in self._read_pages((first + turn) % SHARDS, now):
                yield [*self._decode(items)]

    def put_timer(self, timer: Timer) -> None:
        """Put a timer. It replaces a timer with the same key."""
        self.dynamodb.put_item(TableName=self.table, Item=timer.to_item(self.kept_seconds))

    def replace_timers(self, replacements: Mapping[Timer, Timer]) -> None:
        """Replace timers. All new timers are put before old timers are deleted, so that no job lacks a timer."""
        new_timers = dict.fromkeys(replacements.values())
        put_items(self.dynamodb, self.table, [timer.to_item(self.kept_seconds) for timer in new_timers])
        self.delete_timers([*replacements])

    def delete_timers(self, timers: Sequence[Timer]) -> None:
        """Delete timers."""
        delete_items(self.dynamodb, self.table, [timer.key for timer in timers])

    def _decode(self, items: Sequence[Mapping[str, Any]]) -> Iterator[Timer]:
        for item in items:
            with suppress(UnreadableFormat):  # the error was logged
                yield Timer.from_item(self.kind, item)

    def _read_pages(self, shard: int, now: Micros) -> Iterator[Sequence[Mapping[str, Any]]]:
        pages = self.dynamodb.get_paginator("query").paginate(
            TableName=self.table,
            ConsistentRead=True,
            KeyConditionExpression="pk = :pk AND sk < :end",
            ExpressionAttributeValues={":pk": {"S": _partition(self.kind, shard)}, ":end": {"S": f"{now + 1:018d}"}},
            PaginationConfig={"PageSize": _PAGE_SIZE},
        )
        return (page["Items"] for page in pages)


def _item_kind(kind: Kind) -> ItemKind:
    return SUBSCRIPTION_TIMER if kind == EXPIRY else JOB_TIMER


def _partition(kind: Kind, shard: int) -> str:
    return f"{kind}#{shard}"
