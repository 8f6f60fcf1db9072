"""Timers: when to look at a job.

`WATCH`: has a running job with a heartbeat fallen silent? Armed in the transaction that starts the job, and in that of
the report which ends a silence. Other reports cost nothing more: the watchdog that comes on time finds what was
reported and moves the timer. Thus a job whose `deadline` is not None always has a timer that is due by then.

`KEEP`: what the job wrote earlier is to be kept for longer. Armed by a report every eighth of the retention.
"""

import zlib
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from jobtrack import times
from jobtrack.classes import frozen
from jobtrack.keys import JobKey
from jobtrack.store.batch_writes import delete_items, put_items

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

WATCH, KEEP = "watch", "keep"
SHARDS = 4
PAGE = 100


@frozen
class Timer:
    """Look at the job then (epoch seconds); `after` is where to go on, if it was begun."""

    job: JobKey
    due: int
    kind: str = WATCH
    after: str = ""

    @classmethod
    def at(cls, job: JobKey, deadline: int) -> "Timer":
        """The timer of a deadline (µs): due as soon as that has surely passed."""
        return cls(job, deadline // times.SECOND + 1)

    @property
    def key(self) -> dict[str, Any]:
        """Its primary key: a few partitions hold the timers of all tenants, in the order in which they are due."""
        shard = zlib.crc32(self.job.partition.encode()) % SHARDS
        return {"pk": {"S": _partition(self.kind, shard)}, "sk": {"S": f"{self.due:012d}#{self.job.partition}"}}

    def armed(self, table: str, seconds: int) -> "TransactWriteItemTypeDef":
        """The part of a transaction that arms it."""
        return {"Put": {"TableName": table, "Item": self.item(seconds)}}

    def disarmed(self, table: str) -> "TransactWriteItemTypeDef":
        """The part of a transaction that takes it away, which may have been done already."""
        return {"Delete": {"TableName": table, "Key": self.key}}

    def item(self, seconds: int) -> dict[str, Any]:
        """What is stored, for so many seconds after it is due."""
        after = {"after": {"S": self.after}} if self.after else {}
        return {**self.key, **after, "exp": {"N": str(self.due + seconds)}}


@frozen
class TimerStore:
    """The jobs table's timers."""

    dynamodb: "DynamoDBClient"
    table: str
    kind: str = WATCH

    def due(self, shard: int, now: int) -> Iterator[list[Timer]]:
        """Those of a shard that are due at `now` (epoch seconds), the longest due first, a page at a time."""
        pages = self.dynamodb.get_paginator("query").paginate(
            TableName=self.table,
            ConsistentRead=True,
            KeyConditionExpression="pk = :pk AND sk < :end",
            ExpressionAttributeValues={":pk": {"S": _partition(self.kind, shard)}, ":end": {"S": f"{now + 1:012d}"}},
            PaginationConfig={"PageSize": PAGE},
        )
        return ([_timer(self.kind, item) for item in page["Items"]] for page in pages)

    def put(self, timer: Timer, seconds: int) -> None:
        """Arm a timer, or note how far it was served."""
        self.dynamodb.put_item(TableName=self.table, Item=timer.item(seconds))

    def move(self, moves: Sequence[tuple[Timer, Timer]], seconds: int) -> None:
        """Arm new timers for old ones: first all of the new, so that no job is ever without."""
        armed = dict.fromkeys(new for _, new in moves)
        put_items(self.dynamodb, self.table, [timer.item(seconds) for timer in armed])
        self.drop([old for old, _ in moves])

    def drop(self, timers: Sequence[Timer]) -> None:
        """Take timers away."""
        delete_items(self.dynamodb, self.table, [timer.key for timer in timers])


def _partition(kind: str, shard: int) -> str:
    return f"{kind}#{shard}"


def _timer(kind: str, item: Mapping[str, Any]) -> Timer:
    due, tenant, project, job = item["sk"]["S"].split("#")
    return Timer(JobKey(tenant, project, job), int(due), kind, item.get("after", {"S": ""})["S"])
