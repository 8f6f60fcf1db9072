"""The jobs around a job: one query for what it waits for, one for who waits for it, one read of all of these.

An edge in a prerequisite's partition only says where to look: what counts is what the dependent itself keeps, since
that was written with it, while an edge may be left of a job that was refused.
"""

from collections.abc import Container, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from jobtrack import limits
from jobtrack.domain.dependencies import Edge, Graph, Relations
from jobtrack.domain.job import Job
from jobtrack.errors import NotFound
from jobtrack.keys import JobKey
from jobtrack.store.batch_reads import read_items
from jobtrack.store.dependencies import EDGE, PREFIX, PREREQUISITES, job_of, prerequisites, relation_key, relations
from jobtrack.store.snapshots import SORT_KEY, decode_snapshot
from jobtrack.store.transactions import Item

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

Reasons = dict[str, str | None]


class DependencyGraphReader(Struct, eq=False):
    """The jobs table's edges, walked."""

    dynamodb: "DynamoDBClient"
    table: str

    def read_graph(self, key: JobKey, depth: int) -> tuple[Job, Graph, Relations]:
        """The job, the jobs up to `depth` steps above and below it, and what it needs besides: all by strong reads.

        Raises:
            NotFound: there is no such job.
        """
        home = self._read_job_items(key)
        if SORT_KEY not in home:
            raise NotFound(f"There is no job {key.job} in this project.")
        job = decode_snapshot(key, home[SORT_KEY]).job
        walk = _Walk(self, key, Graph({key.job: job}), {key.job: prerequisites(home.get(PREREQUISITES))})
        above, below = [key.job], [key.job]
        for distance in range(1, depth + 1):
            above, below = walk.step(above, below, distance, further=distance < depth)
        return job, walk.graph, relations(home)

    def read_dependents(self, key: JobKey, job_id: str) -> list[str]:
        """Who may wait for a job, by its edges: at most one more than an answer shows."""
        place = relation_key(key, job_id, EDGE)
        items = self.dynamodb.query(
            TableName=self.table,
            ConsistentRead=True,
            KeyConditionExpression="pk = :pk AND begins_with(sk, :sk)",
            ExpressionAttributeValues={":pk": place["pk"], ":sk": place["sk"]},
            Limit=limits.GRAPH_JOBS + 1,
        )["Items"]
        return [item["sk"]["S"].removeprefix(EDGE) for item in items]

    def read_items(self, key: JobKey, wanted: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Item]:
        """The items of these jobs and sort keys that exist."""
        keys = [relation_key(key, job_id, place) for job_id, place in dict.fromkeys(wanted)]
        return {(job_of(item), item["sk"]["S"]): item for item in read_items(self.dynamodb, self.table, keys)}

    def _read_job_items(self, key: JobKey) -> dict[str, Item]:
        """The job's snapshot and what it waits for, by sort key: they lie side by side."""
        items = self.dynamodb.query(
            TableName=self.table,
            ConsistentRead=True,
            KeyConditionExpression="pk = :pk AND sk BETWEEN :first AND :last",
            ExpressionAttributeValues={
                ":pk": {"S": key.partition},
                ":first": {"S": PREFIX},
                ":last": {"S": SORT_KEY},
            },
        )["Items"]
        return {item["sk"]["S"]: item for item in items}


class _Walk(Struct):
    reader: DependencyGraphReader
    key: JobKey
    graph: Graph
    reasons: dict[str, Reasons]
    """Of jobs whose prerequisites were read, what they wait for."""

    def step(
        self, above: Sequence[str], below: Sequence[str], distance: int, further: bool
    ) -> tuple[list[str], list[str]]:
        """From these jobs one step up and one down; answers the jobs found above and below."""
        up = [Edge(first, job_id, reason, distance) for job_id in above for first, reason in self._reasons(job_id)]
        down = [(job_id, later) for job_id in below for later in self.reader.read_dependents(self.key, job_id)]
        higher = self.graph.admit(edge.prerequisite for edge in up)
        lower = self.graph.admit(later for _, later in down)
        known = [later for _, later in down if later in self.graph.jobs]
        self._read([*higher, *lower], [*known, *(higher if further else ())])
        confirmed = list(self._confirmed(down, distance))
        self.graph.above += [edge for edge in up if edge.prerequisite in self.graph.jobs]
        self.graph.below += confirmed
        return higher, self._without_strangers(lower, {edge.dependent for edge in confirmed})

    def _without_strangers(self, lower: Iterable[str], confirmed: Container[str]) -> list[str]:
        """Forget jobs that do not wait for what their edges say."""
        for job_id in lower:
            if job_id not in confirmed:
                del self.graph.jobs[job_id]
        return [job_id for job_id in lower if job_id in self.graph.jobs]

    def _reasons(self, job_id: str) -> Iterable[tuple[str, str | None]]:
        return self.reasons.get(job_id, {}).items()

    def _read(self, jobs: Sequence[str], waiting: Sequence[str]) -> None:
        """The state of these jobs, and what those wait for."""
        unread = [job_id for job_id in waiting if job_id not in self.reasons]
        wanted = [*((job_id, SORT_KEY) for job_id in jobs), *((job_id, PREREQUISITES) for job_id in unread)]
        found = self.reader.read_items(self.key, wanted)
        self.reasons |= {job_id: prerequisites(found.get((job_id, PREREQUISITES))) for job_id in unread}
        self.graph.jobs |= {
            job_id: self._job(found[job_id, SORT_KEY]) for job_id in jobs if (job_id, SORT_KEY) in found
        }

    def _job(self, item: Item) -> Job:
        return decode_snapshot(self.key.job_key(job_of(item)), item).job

    def _confirmed(self, pairs: Iterable[tuple[str, str]], distance: int) -> Iterator[Edge]:
        """The edges that the dependents themselves know of."""
        for job_id, later in pairs:
            reasons = self.reasons.get(later, {})
            if later in self.graph.jobs and job_id in reasons:
                yield Edge(job_id, later, reasons[job_id], distance)
