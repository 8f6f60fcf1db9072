"""Reads the jobs around a job: the jobs that it waits for, and the jobs that wait for it.

An edge in a prerequisite's partition is only a hint, because it may be left over from a job that was refused. The
dependent's own list of prerequisites is authoritative. It is written together with the job.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from jobtrack import limits
from jobtrack.domain.dependencies import Edge, Graph, Relations
from jobtrack.domain.job import Job
from jobtrack.errors import NotFound
from jobtrack.keys import JobKey, ProjectKey
from jobtrack.store import item_kinds
from jobtrack.store.batch_reads import read_items
from jobtrack.store.dependencies import (
    EDGE,
    PREFIX,
    PREREQUISITES,
    decode_prerequisites,
    decode_relations,
    job_id_of,
)
from jobtrack.store.key_conditions import between, with_prefix
from jobtrack.store.snapshots import SORT_KEY, decode_snapshot
from jobtrack.store.transactions import Item

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

Reasons = dict[str, str | None]
"""The jobs that a job waits for, each with the reason."""


class DependencyGraphReader(Struct, eq=False):
    """Reads dependencies from the jobs table; every read is strongly consistent."""

    dynamodb: "DynamoDBClient"
    table: str

    def read_graph(self, key: JobKey, depth: int) -> tuple[Job, Graph, Relations]:
        """Return the job, the jobs up to `depth` steps before and after it, and its resources and conditions.

        Raises:
            NotFound: there is no such job.
        """
        items = self._read_job_items(key)
        if SORT_KEY not in items:
            raise NotFound(f"There is no job {key.job} in this project.")
        job = decode_snapshot(key, items[SORT_KEY]).job
        walk = _Walk(self, key, Graph({key.job: job}), {key.job: decode_prerequisites(items.get(PREREQUISITES))})
        above, below = [key.job], [key.job]
        for distance in range(1, depth + 1):
            above, below = walk.step(above, below, distance, is_last=distance == depth)
        return job, walk.graph, decode_relations(items)

    def read_dependents(self, key: JobKey) -> list[str]:
        """Return the ids of the jobs that may wait for a job, at most one more than a response shows."""
        items = self.dynamodb.query(
            TableName=self.table,
            ConsistentRead=True,
            **with_prefix(key.partition, EDGE),
            Limit=limits.GRAPH_JOBS + 1,
        )["Items"]
        return [item_kinds.EDGE.check(item)["sk"]["S"].removeprefix(EDGE) for item in items]

    def read_items(self, key: ProjectKey, places: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Item]:
        """Return the existing items with these job ids and sort keys."""
        keys = [key.job_key(job_id).item_key(sort_key) for job_id, sort_key in dict.fromkeys(places)]
        return {(job_id_of(item), item["sk"]["S"]): item for item in read_items(self.dynamodb, self.table, keys)}

    def _read_job_items(self, key: JobKey) -> dict[str, Item]:
        """Return the job's snapshot and its dependencies by sort key: they are neighbours, so one query reads them."""
        items = self.dynamodb.query(
            TableName=self.table, ConsistentRead=True, **between(key.partition, PREFIX, SORT_KEY)
        )["Items"]
        return {item["sk"]["S"]: item for item in items}


class _Walk(Struct):
    """A walk through the graph, breadth first, in both directions.

    Args:
        reader: reads the jobs and their prerequisites.
        key: the project.
        graph: the jobs and edges that were found.
        reasons: for each job whose prerequisites were read, these prerequisites and their reasons.
    """

    reader: DependencyGraphReader
    key: ProjectKey
    graph: Graph
    reasons: dict[str, Reasons]

    def step(
        self, above: Sequence[str], below: Sequence[str], distance: int, is_last: bool
    ) -> tuple[list[str], list[str]]:
        """Go up from the jobs `above` and down from the jobs `below`; return the new jobs on either side."""
        up = [
            Edge(prerequisite, job_id, reason, distance)
            for job_id in above
            for prerequisite, reason in self.reasons.get(job_id, {}).items()
        ]
        down = [
            (job_id, dependent)
            for job_id in below
            for dependent in self.reader.read_dependents(self.key.job_key(job_id))
        ]
        higher = self.graph.add_jobs(edge.prerequisite for edge in up)
        lower = self.graph.add_jobs(dependent for _, dependent in down)
        dependents = [dependent for _, dependent in down if dependent in self.graph.jobs]
        self._read([*higher, *lower], [*dependents, *(() if is_last else higher)])
        confirmed = list(self._confirmed_edges(down, distance))
        self.graph.above += [edge for edge in up if edge.prerequisite in self.graph.jobs]
        self.graph.below += confirmed
        return higher, self._remove_unconfirmed(lower, {edge.dependent for edge in confirmed})

    def _read(self, job_ids: Sequence[str], dependents: Sequence[str]) -> None:
        """Read the state of jobs, and the prerequisites of dependents, in one request."""
        unread = [job_id for job_id in dependents if job_id not in self.reasons]
        places = [*((job_id, SORT_KEY) for job_id in job_ids), *((job_id, PREREQUISITES) for job_id in unread)]
        items = self.reader.read_items(self.key, places)
        self.reasons |= {job_id: decode_prerequisites(items.get((job_id, PREREQUISITES))) for job_id in unread}
        snapshots = {job_id: items[job_id, SORT_KEY] for job_id in job_ids if (job_id, SORT_KEY) in items}
        self.graph.jobs |= {
            job_id: decode_snapshot(self.key.job_key(job_id), item).job for job_id, item in snapshots.items()
        }

    def _confirmed_edges(self, pairs: Iterable[tuple[str, str]], distance: int) -> Iterator[Edge]:
        """Yield the edges that the dependents' own prerequisites confirm."""
        for job_id, dependent in pairs:
            reasons = self.reasons.get(dependent, {})
            if dependent in self.graph.jobs and job_id in reasons:
                yield Edge(job_id, dependent, reasons[job_id], distance)

    def _remove_unconfirmed(self, job_ids: Iterable[str], confirmed: Collection[str]) -> list[str]:
        """Remove the jobs whose edges were not confirmed; return the remaining jobs."""
        for job_id in job_ids:
            if job_id not in confirmed:
                del self.graph.jobs[job_id]
        return [job_id for job_id in job_ids if job_id in self.graph.jobs]
