"""Lists the project's jobs, newest first: the ids come from the index by status, and the jobs are read by id.

The statuses are queried in the order of a job's life, so a job that changes between two queries may be found twice, but
is never missed. A job's place in the list does not depend on its status, so a reader of all pages sees each job once.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from jobtrack import times
from jobtrack.domain.job import Job, JobStatus
from jobtrack.domain.journal.packing import unpack
from jobtrack.keys import ProjectKey
from jobtrack.store import item_kinds, status_index
from jobtrack.store.batch_reads import read_items
from jobtrack.store.snapshots import Snapshot, decode_snapshot, metadata_key, restore_extras, snapshot_key
from jobtrack.store.status_index import Place

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

_FILTERED_JOBS = 100
"""How many jobs are read at once if a filter may reject most of them."""
_MAX_ROUNDS = 5
"""A page ends after this many reads, even if it is not full; its cursor continues there."""


class JobFilter(Struct, frozen=True):
    """Which jobs to list; `first` and `last` are times of creation (µs), both included."""

    statuses: Sequence[JobStatus] = tuple(JobStatus)
    job_type: str | None = None
    submitted_by: str | None = None
    first: int = 0
    last: int = times.LATEST

    @property
    def needs_jobs(self) -> bool:
        """Whether the filter must read the jobs, because the index does not suffice."""
        return self.job_type is not None or self.submitted_by is not None

    def covers(self, place: Place) -> bool:
        """Return whether a place is within the times of creation."""
        return self.first <= place.created_at <= self.last

    def matches(self, job: Job) -> bool:
        """Return whether to list a job."""
        return (
            job.status in self.statuses
            and self.covers(Place.of(job))
            and self.job_type in (None, job.type)
            and self.submitted_by in (None, job.submitted_by)
        )


class JobLister(Struct, eq=False):
    """Reads many jobs of a project."""

    dynamodb: "DynamoDBClient"
    table: str

    def read_snapshots(self, owner: ProjectKey, ids: Sequence[str]) -> dict[str, Snapshot]:
        """Return the jobs that exist, by id, strongly consistent: one request for each hundred."""
        keys = {job_id: owner.job_key(job_id) for job_id in ids}
        stored = read_items(self.dynamodb, self.table, [snapshot_key(key) for key in keys.values()])
        items = {item["pk"]["S"]: item for item in stored}
        return {
            job_id: decode_snapshot(key, items[key.partition]) for job_id, key in keys.items() if key.partition in items
        }

    def add_metadata(self, snapshots: Sequence[Snapshot]) -> None:
        """Read the metadata that were moved out of snapshots, and put them back."""
        incomplete = {snapshot.key.partition: snapshot for snapshot in snapshots if snapshot.job.spilled}
        keys = [metadata_key(snapshot.key) for snapshot in incomplete.values()]
        for item in read_items(self.dynamodb, self.table, keys):
            extras = unpack(item_kinds.EXTRAS.check(item)["d"]["B"])
            restore_extras(incomplete[item["pk"]["S"]].job, [extras])

    def read_page(
        self,
        owner: ProjectKey,
        job_filter: JobFilter,
        limit: int,
        after: Place | None = None,
        queued: Sequence[Place] | None = None,
    ) -> tuple[list[Snapshot], Place | None]:
        """Return at most `limit` jobs after a place, newest first, and the place to continue from if there may be more.

        If the filter rejects many jobs, a page may end before it is full.

        Args:
            owner: the project.
            job_filter: which jobs to list.
            limit: the maximum number of jobs.
            after: where the previous page ended.
            queued: the places of all queued jobs, if they are known; then they are not queried.
        """
        page: list[Snapshot] = []
        for _ in range(_MAX_ROUNDS):
            count = max(_FILTERED_JOBS, limit) if job_filter.needs_jobs else limit
            nearest, more = self._read_newest_places(owner, job_filter, count, after, queued)
            snapshots = self.read_snapshots(owner, [place.job for place in nearest])
            for index, place in enumerate(nearest):
                after = place
                if place.job in snapshots and job_filter.matches(snapshots[place.job].job):
                    page.append(snapshots[place.job])
                if len(page) == limit:
                    return page, after if more or index < len(nearest) - 1 else None
            if not more:
                return page, None
        return page, after

    def _read_newest_places(
        self,
        owner: ProjectKey,
        job_filter: JobFilter,
        count: int,
        after: Place | None,
        queued: Sequence[Place] | None,
    ) -> tuple[list[Place], bool]:
        """Return the newest `count` places after a place, and whether there are more."""
        places: set[Place] = set()
        statuses = [status for status in JobStatus if status in job_filter.statuses]
        if queued is not None and JobStatus.QUEUED in statuses:
            statuses.remove(JobStatus.QUEUED)
            places.update(place for place in queued if job_filter.covers(place) and (after is None or place < after))
        for status in statuses:
            for prefix in status_index.rank_prefixes(status):
                places.update(self._read_places(owner, status, prefix, job_filter, count, after))
        newest = sorted(places, reverse=True)
        return newest[:count], len(newest) > count

    def _read_places(
        self, owner: ProjectKey, status: JobStatus, prefix: str, job_filter: JobFilter, count: int, after: Place | None
    ) -> Iterator[Place]:
        """Yield the newest places under a prefix after `after`: more than `count`, if there are more."""
        low = f"{prefix}{job_filter.first:018d}#"
        high = prefix + min(f"{job_filter.last:018d}#~", f"{after.text}#~" if after else "~")
        if low > high:
            return
        keys = status_index.read_sort_keys(
            self.dynamodb, self.table, owner, status, (low, high), count + 2, forward=False
        )
        for key in keys:
            place = status_index.parse_place(key, status)
            if after is None or place < after:
                yield place
