"""Counts the jobs that the counters lack or count wrongly, because a version without counters wrote them.

While a new version of the stack is deployed, or after it was rolled back, functions of the old version write jobs. They
do not change the attribute with the job's counts, so it is wrong until a new function writes the job's next version, or
until this module counts the job. They also give open jobs a TTL that deletes them, which this module removes.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from jobtrack.errors import UnreadableFormat
from jobtrack.keys import JobKey
from jobtrack.retry import RETRY, Retry
from jobtrack.store import open_job_counters, write_marks
from jobtrack.store.job_reader import JobReader
from jobtrack.store.job_versions import NextVersion
from jobtrack.store.open_job_counters import ATTRIBUTE, counted_attribute
from jobtrack.store.snapshots import SORT_KEY, Snapshot, decode_snapshot
from jobtrack.store.status_index import INDEX
from jobtrack.store.timers import RETENTION, Timer
from jobtrack.store.too_many_requests import write_with_retries
from jobtrack.store.transactions import commit
from jobtrack.store.ttl import decode_job_expiry, encode_job_expiry, has_no_ttl

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

_PAGE_SIZE = 100
"""Jobs that are read in one request."""


class JobRecounter(Struct, frozen=True):
    """Makes the counters equal to a recount of all stored jobs.

    Other writers may continue meanwhile. A run may be interrupted and repeated.
    """

    dynamodb: "DynamoDBClient"
    table: str
    retry: Retry = RETRY

    def run(self) -> Iterator[JobKey]:
        """Look at all jobs in the index by status, and yield each that was counted now."""
        pages = self.dynamodb.get_paginator("scan").paginate(
            TableName=self.table, IndexName=INDEX, PaginationConfig={"PageSize": _PAGE_SIZE}
        )
        for page in pages:
            keys = [JobKey.from_partition(item["pk"]["S"]) for item in page["Items"] if item["sk"]["S"] == SORT_KEY]
            yield from self._count_page(keys)

    def _count_page(self, keys: Sequence[JobKey]) -> Iterator[JobKey]:
        for key, item in JobReader(self.dynamodb, self.table).read_snapshot_items(keys).items():
            with suppress(UnreadableFormat):  # the error was logged
                snapshot = decode_snapshot(key, item)
                if _is_outdated(item, snapshot) and write_with_retries(self.retry, partial(self._count, key)):
                    yield key

    def _count(self, key: JobKey) -> bool:
        item = JobReader(self.dynamodb, self.table).read_snapshot_items([key]).get(key)
        snapshot = decode_snapshot(key, item) if item else None
        if item is None or snapshot is None or not _is_outdated(item, snapshot):
            return False  # it is gone, or a writer has counted it
        commit(self.dynamodb, [*self._actions(snapshot, item)])
        return True

    def _actions(self, snapshot: Snapshot, item: Mapping[str, Any]) -> "Iterator[TransactWriteItemTypeDef]":
        """Yield the actions that write a version with new counts. Writers with the previous version read again."""
        expires, is_ended = decode_job_expiry(item), snapshot.job.status.ended
        attributes = {
            "v": {"N": str(snapshot.version + 1)},
            ATTRIBUTE: counted_attribute(snapshot.job),
            **encode_job_expiry(expires, is_ended),
            write_marks.ATTRIBUTE: {"B": snapshot.marks},
        }
        yield NextVersion(self.table, snapshot, expires, expires).update_action(attributes)
        yield from open_job_counters.change_actions(self.table, snapshot.key, item, attributes)
        if not is_ended:
            yield Timer(RETENTION, snapshot.key, expires).put_action(self.table, 0)


def _is_outdated(item: Mapping[str, Any], snapshot: Snapshot) -> bool:
    """Return whether the job is counted wrongly, or would be deleted by TTL although it is counted."""
    counted: Any = counted_attribute(snapshot.job)
    is_counted: bool = item.get(ATTRIBUTE, {"M": {}})["M"] == counted["M"]
    return not is_counted or (not snapshot.job.status.ended and not has_no_ttl(item))
