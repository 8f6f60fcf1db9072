"""Counters of a project's open jobs: the queued ones by priority, with their expected seconds, and the running ones.

Each version of a job stores what it adds to the counters (attribute `c` of its snapshot). The transaction that writes a
version, or deletes the job, adds the difference from the version before it. So the sum of the counters is the sum over
all stored jobs, even if writers run at the same time or retry.

A project has `SHARDS` items with counters. A job's changes go to the shard that its id chooses, so changes of different
jobs rarely conflict. A reader sums all items that it finds, so `SHARDS` may change while a stack runs: the sums stay
exact, though single shards may become negative.

The items are in one partition, with the project's workers, so that one query reads both. A partition takes 1,000 write
units a second, and each change costs two. If that is not enough, more shards can be put into more partitions.

A snapshot without `c` was written before there were counters, and is not counted. The job's next version is counted
(`python -m scripts.count_jobs` writes the next version of each such job).
"""

import zlib
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from jobtrack.domain.job import PRIORITIES, Job, JobStatus
from jobtrack.domain.job_queue import QueuedJob, RunningJob
from jobtrack.domain.open_jobs import OpenJobs, QueuedSum
from jobtrack.keys import JobKey
from jobtrack.store.item_kinds import FORMAT, OPEN_JOB_COUNTER

if TYPE_CHECKING:
    from types_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

SHARDS = 16
SORT_KEY = "C#"
ATTRIBUTE = "c"
"""What a snapshot adds to the counters."""

_MILLI = 1000
"""Cores have three decimals. They are counted in thousandths, because sums of integers are exact."""

Counts = Mapping[str, int]


def counted_attribute(job: Job) -> dict[str, Any]:
    """Return what a job adds to the counters, as its snapshot stores it; nothing once the job has ended."""
    return {"M": {name: {"N": str(count)} for name, count in _counts_of(job).items() if count}}


def is_counted(snapshot: Mapping[str, Any]) -> bool:
    """Return whether a stored job is in the counters."""
    return ATTRIBUTE in snapshot


def change_actions(
    table: str, key: JobKey, before: Mapping[str, Any], after: Mapping[str, Any]
) -> "Iterator[TransactWriteItemTypeDef]":
    """Yield the action that counts a job's next version (`after`) instead of the previous one, if the counts differ.

    Both are attributes of snapshots. A job that does not exist has none.
    """
    old, new = _stored_counts(before), _stored_counts(after)
    names = sorted(name for name in {*old, *new} if old.get(name) != new.get(name))
    if not names:
        return
    yield {
        "Update": {
            "TableName": table,
            "Key": key.owner.load_key(f"{SORT_KEY}{_shard(key):03d}"),
            "UpdateExpression": f"SET #{FORMAT} = :{FORMAT} ADD "
            + ", ".join(f"#n{place} :n{place}" for place in range(len(names))),
            "ExpressionAttributeNames": {
                f"#{FORMAT}": FORMAT,
                **{f"#n{place}": name for place, name in enumerate(names)},
            },
            "ExpressionAttributeValues": {
                f":{FORMAT}": OPEN_JOB_COUNTER.stamp[FORMAT],
                **{f":n{place}": {"N": str(new.get(name, 0) - old.get(name, 0))} for place, name in enumerate(names)},
            },
        }
    }


def sum_counters(items: Iterable[Mapping[str, Any]]) -> OpenJobs:
    """Return the sums over the shards, among the items of a load partition.

    Raises:
        UnreadableFormat: another release stored one.
    """
    sums: dict[str, int] = {}
    for item in items:
        if not item["sk"]["S"].startswith(SORT_KEY):
            continue
        for name, value in OPEN_JOB_COUNTER.check(item).items():
            if "N" in value:
                sums[name] = sums.get(name, 0) + int(value["N"])
    queued = [
        QueuedSum(*(sums.get(f"{name}{rank}", 0) for name in ("queued", "seconds", "unknown")))
        for rank in range(len(PRIORITIES))
    ]
    return OpenJobs(queued, sums.get("running", 0), sums.get("millicores", 0) / _MILLI)


def _counts_of(job: Job) -> Counts:
    if job.status is JobStatus.QUEUED:
        queued = QueuedJob.of(job)
        kind, count = ("unknown", 1) if queued.seconds is None else ("seconds", queued.seconds)
        return {f"queued{queued.rank}": 1, f"{kind}{queued.rank}": count}
    if job.status is JobStatus.RUNNING:
        return {"running": 1, "millicores": round((RunningJob.of(job).cores or 0) * _MILLI)}
    return {}


def _stored_counts(snapshot: Mapping[str, Any]) -> Counts:
    stored: Mapping[str, Any] = snapshot.get(ATTRIBUTE, {"M": {}})["M"]
    return {name: int(value["N"]) for name, value in stored.items()}


def _shard(key: JobKey) -> int:
    return zlib.crc32(key.job.encode()) % SHARDS
