"""Timers: when to look whether a running job with a heartbeat has fallen silent.

Armed in the transaction that starts the job, and in that of the report which ends a silence; other reports cost nothing
more, since the watchdog that comes on time finds what was reported and moves the timer. Thus a job whose `deadline` is
not None always has a timer that is due by then.
"""

import zlib
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from jobtrack import times
from jobtrack.classes import frozen
from jobtrack.keys import JobKey
from jobtrack.store.batches import delete_all, put_all

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

SHARDS = 4
PAGE = 100


@frozen
class Timer:
    """Look at the job then (epoch seconds)."""

    job: JobKey
    due: int

    @classmethod
    def at(cls, job: JobKey, deadline: int) -> "Timer":
        """The timer of a deadline (µs): due as soon as that has surely passed."""
        return cls(job, deadline // times.SECOND + 1)

    @property
    def key(self) -> dict[str, Any]:
        """Its primary key: a few partitions hold the timers of all tenants, in the order in which they are due."""
        shard = zlib.crc32(self.job.partition.encode()) % SHARDS
        return {"pk": {"S": _partition(shard)}, "sk": {"S": f"{self.due:012d}#{self.job.partition}"}}

    def armed(self, table: str, expires: int) -> "TransactWriteItemTypeDef":
        """The part of a transaction that arms it."""
        return {"Put": {"TableName": table, "Item": self.item(expires)}}

    def disarmed(self, table: str) -> "TransactWriteItemTypeDef":
        """The part of a transaction that takes it away, which may have been done already."""
        return {"Delete": {"TableName": table, "Key": self.key}}

    def item(self, expires: int) -> dict[str, Any]:
        """What is stored."""
        return {**self.key, "exp": {"N": str(expires)}}


@frozen
class TimerStore:
    """The jobs table's timers."""

    dynamodb: "DynamoDBClient"
    table: str

    def due(self, shard: int, now: int) -> Iterator[list[Timer]]:
        """Those of a shard that are due at `now` (epoch seconds), the longest due first, a page at a time."""
        pages = self.dynamodb.get_paginator("query").paginate(
            TableName=self.table,
            ConsistentRead=True,
            KeyConditionExpression="pk = :pk AND sk < :end",
            ExpressionAttributeValues={":pk": {"S": _partition(shard)}, ":end": {"S": f"{now + 1:012d}"}},
            PaginationConfig={"PageSize": PAGE},
        )
        return ([_timer(item["sk"]["S"]) for item in page["Items"]] for page in pages)

    def move(self, moves: Sequence[tuple[Timer, Timer]], expires: int) -> None:
        """Arm new timers for old ones: first all of the new, so that no job is ever without."""
        armed = dict.fromkeys(new for _, new in moves)
        put_all(self.dynamodb, self.table, [timer.item(expires) for timer in armed])
        self.drop([old for old, _ in moves])

    def drop(self, timers: Sequence[Timer]) -> None:
        """Take timers away."""
        delete_all(self.dynamodb, self.table, [timer.key for timer in timers])


def _partition(shard: int) -> str:
    return f"watch#{shard}"


def _timer(place: str) -> Timer:
    due, tenant, project, job = place.split("#")
    return Timer(JobKey(tenant, project, job), int(due))
