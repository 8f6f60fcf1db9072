"""The durations of past jobs, by type: stored in the transaction that completes a job, read when a job starts.

Each type has counters, spread over shards so that jobs which end at the same time rarely conflict, and the newest
completions with the durations of their stages. Both are in one partition, so that one query reads them.
"""

import hashlib
import random
from collections import Counter
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from jobtrack import times
from jobtrack.domain.job import Job
from jobtrack.domain.journal.metric_minutes import throughput
from jobtrack.domain.journal.packing import pack, unpack
from jobtrack.domain.past_durations import PastDurations, bucket, middle_half
from jobtrack.keys import JobKey
from jobtrack.store.item_kinds import COMPLETION, DURATION_COUNTER, FORMAT
from jobtrack.store.ttl import encode_expiry
from jobtrack.times import Micros

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

SHARDS = 8
NEWEST = 50
"""How many of the newest completions are used for the durations of stages."""

_COUNTER, _COMPLETION = "0#", "1#"


class PastDurationStore(Struct, frozen=True):
    """Reads and writes the durations in the jobs table."""

    dynamodb: "DynamoDBClient"
    table: str
    shard: Callable[[int], int] = random.SystemRandom().randrange  # functions restored from one snapshot must differ

    def add_past_durations(self, key: JobKey, job: Job) -> None:
        """Store in a job how long past jobs of its type took, as a whole and for each stage."""
        items = self.dynamodb.query(
            TableName=self.table,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": {"S": _partition(key.tenant, job.type)}},
            Limit=SHARDS + NEWEST,
        )["Items"]
        counters = [DURATION_COUNTER.check(item) for item in items if item["sk"]["S"].startswith(_COUNTER)]
        stored = [COMPLETION.check(item) for item in items if item["sk"]["S"].startswith(_COMPLETION)]
        completions = [unpack(item["d"]["B"]) for item in stored]
        job.past = _sum(counters)
        for stage in job.stages:
            if durations := [seconds for stages in completions if (seconds := stages.get(stage.name)) is not None]:
                stage.usual_seconds = sum(durations) / len(durations)
                stage.usual_range = list(middle_half(durations))

    def completion_actions(self, key: JobKey, job: Job, expires: Micros) -> "Sequence[TransactWriteItemTypeDef]":
        """Return the actions that count a job in the transaction that completes it."""
        if job.started_at is None or job.ended_at is None:
            return ()
        seconds, rate = times.seconds_between(job.started_at, job.ended_at), throughput(job)
        partition = {"S": _partition(key.tenant, job.type)}
        sums = {f"b{bucket(seconds)}": 1, "seconds": seconds} | ({} if rate is None else {"rates": 1, "rate": rate})
        durations = {
            stage.name: stage.seconds for stage in job.stages if stage.progress >= 100 and stage.seconds is not None
        }
        return (
            {
                "Update": {
                    "TableName": self.table,
                    "Key": {"pk": partition, "sk": {"S": f"{_COUNTER}{self.shard(SHARDS)}"}},
                    "UpdateExpression": f"SET #{FORMAT} = :{FORMAT} ADD "
                    + ", ".join(f"#n{place} :n{place}" for place in range(len(sums))),
                    "ExpressionAttributeNames": {
                        f"#{FORMAT}": FORMAT,
                        **{f"#n{place}": name for place, name in enumerate(sums)},
                    },
                    "ExpressionAttributeValues": {
                        f":{FORMAT}": DURATION_COUNTER.stamp[FORMAT],
                        **{f":n{place}": {"N": f"{value:.6f}"} for place, value in enumerate(sums.values())},
                    },
                }
            },
            {
                "Put": {
                    "TableName": self.table,
                    "Item": {
                        **COMPLETION.stamp,
                        "pk": partition,
                        "sk": {"S": f"{_COMPLETION}{times.LATEST - job.ended_at:019d}#{key.partition}"},
                        "d": {"B": pack(durations)},
                        "exp": encode_expiry(expires),
                    },
                }
            },
        )


def _partition(tenant: str, job_type: str) -> str:
    """Return the partition key of a type. It ends with the number of a shard; there is one shard so far."""
    return f"{tenant}#type#{hashlib.sha256(job_type.encode()).hexdigest()[:32]}#0"


def _sum(counters: Sequence[Any]) -> PastDurations | None:
    totals: Counter[str] = Counter()
    for item in counters:
        totals.update({name: float(value["N"]) for name, value in item.items() if "N" in value})
    counts = {int(name[1:]): round(count) for name, count in totals.items() if name[0] == "b"}
    return PastDurations.of(counts, totals["seconds"], round(totals["rates"]), totals["rate"])
