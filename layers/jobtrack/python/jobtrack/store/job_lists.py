"""The project's jobs, newest first: their places from the index by status, the jobs themselves read by id.

The statuses are read in the order of a job's life, so that a job that moves between two of the queries is found twice,
never missed. A place never changes, whatever becomes of the job, so that a walk from place to place meets each job
once.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from jobtrack import times
from jobtrack.domain.job import Job, JobStatus
from jobtrack.domain.journal.packing import unpack
from jobtrack.keys import ProjectKey
from jobtrack.store import status_index
from jobtrack.store.batch_reads import read_items
from jobtrack.store.snapshots import Snapshot, decode_snapshot, metadata_key, restore_extras, snapshot_key
from jobtrack.store.status_index import INDEX, Place

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

_ROUND = 100
"""Jobs that are read at once where filters may pass over most of them."""
_ROUNDS = 5
"""After so many rounds a page ends, however few jobs it has: the next one goes on."""


class Wanted(Struct, frozen=True):
    """Which jobs are asked for; times of creation are inclusive (µs), `statuses` in the order of a job's life."""

    statuses: Sequence[JobStatus] = tuple(JobStatus)
    job_type: str | None = None
    submitted_by: str | None = None
    first: int = 0
    last: int = times.LATEST

    @property
    def sieved(self) -> bool:
        """Whether it asks for what only the jobs themselves tell."""
        return self.job_type is not None or self.submitted_by is not None

    def holds(self, job: Job) -> bool:
        """Whether the job is asked for."""
        return (
            job.status in self.statuses
            and self.first <= job.created_at <= self.last
            and self.job_type in (None, job.type)
            and self.submitted_by in (None, job.submitted_by)
        )


class JobLister(Struct, eq=False):
    """Reads many jobs of a project."""

    dynamodb: "DynamoDBClient"
    table: str

    def read_snapshots(self, owner: ProjectKey, ids: Sequence[str]) -> dict[str, Snapshot]:
        """Those of the jobs that exist, as every write acknowledged before left them: a request for each hundred."""
        keys = {each: owner.job_key(each) for each in ids}
        items = read_items(self.dynamodb, self.table, [snapshot_key(key) for key in keys.values()])
        found = {item["pk"]["S"].rpartition("#")[2]: item for item in items}
        return {each: decode_snapshot(key, found[each]) for each, key in keys.items() if each in found}

    def add_metadata(self, snapshots: Sequence[Snapshot]) -> None:
        """Put back the metadata that had no room in a snapshot."""
        spilled = {each.key.partition: each for each in snapshots if each.job.spilled}
        for item in read_items(self.dynamodb, self.table, [metadata_key(each.key) for each in spilled.values()]):
            restore_extras(spilled[item["pk"]["S"]].job, [unpack(item["d"]["B"])])

    def read_page(
        self, owner: ProjectKey, wanted: Wanted, limit: int, after: Place | None = None
    ) -> tuple[list[Snapshot], Place | None]:
        """At most `limit` of the jobs beyond a place, newest first, and the place to go on from, if any may follow.

        Where filters pass over many jobs, a page may end before it is full.
        """
        found: list[Snapshot] = []
        for _ in range(_ROUNDS):
            count = max(_ROUND, limit) if wanted.sieved else limit
            nearest, more = self._read_newest_places(owner, wanted, count, after)
            snapshots = self.read_snapshots(owner, [place.job for place in nearest])
            for index, place in enumerate(nearest):
                after = place
                if place.job in snapshots and wanted.holds(snapshots[place.job].job):
                    found.append(snapshots[place.job])
                if len(found) == limit:
                    return found, after if more or index < len(nearest) - 1 else None
            if not more:
                return found, None
        return found, after

    def _read_newest_places(
        self, owner: ProjectKey, wanted: Wanted, count: int, after: Place | None
    ) -> tuple[list[Place], bool]:
        """The newest `count` places beyond `after`, and whether there are more."""
        seen: set[Place] = set()
        for status in JobStatus:
            if status in wanted.statuses:
                for rank in status_index.ranks(status):
                    seen.update(self._read_places(owner, status, rank, wanted, count, after))
        newest = sorted(seen, reverse=True)
        return newest[:count], len(newest) > count

    def _read_places(
        self, owner: ProjectKey, status: JobStatus, rank: str, wanted: Wanted, count: int, after: Place | None
    ) -> Iterator[Place]:
        """The newest places of one list, one more than `count`; `after` itself is among those found, and left out."""
        low = f"{rank}{wanted.first:018d}#"
        high = rank + min(f"{wanted.last:018d}#~", f"{after.text}#~" if after else "~")
        if low > high:
            return
        items = self.dynamodb.query(
            TableName=self.table,
            IndexName=INDEX,
            KeyConditionExpression="gpk = :partition AND gsk BETWEEN :low AND :high",
            ExpressionAttributeValues={
                ":partition": {"S": status_index.partition(owner, status)},
                ":low": {"S": low},
                ":high": {"S": high},
            },
            ScanIndexForward=False,
            Limit=count + 2,
        )["Items"]
        for item in items:
            place = status_index.place_at(item["gsk"]["S"], status)
            if after is None or place < after:
                yield place
