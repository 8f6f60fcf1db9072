"""Workers: an item for each node in the project's load partition, which expires 120 s after its last heartbeat."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from jobtrack import limits, times
from jobtrack.domain.job_queue import Worker
from jobtrack.domain.journal.packing import pack, unpack
from jobtrack.keys import ProjectKey
from jobtrack.store.item_kinds import WORKER
from jobtrack.store.ttl import decode_expiry, encode_expiry
from jobtrack.times import Micros

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

PREFIX = "W#"


class Heartbeat(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The capacity and the use of a node, as it reported them."""

    cpu_units: float
    memory_gb: float
    max_concurrent_jobs: int
    cpu_usage: float | None = None
    memory_bytes: int | None = None


class WorkerStore(Struct, frozen=True):
    """Writes workers to the jobs table."""

    dynamodb: "DynamoDBClient"
    table: str

    def put_worker(self, owner: ProjectKey, node: str, heartbeat: Heartbeat, now: Micros) -> None:
        """Store the heartbeat of a node at `now`."""
        item = {
            **owner.load_key(f"{PREFIX}{node}"),
            **WORKER.stamp,
            "d": {"B": pack(heartbeat)},
            "exp": encode_expiry(times.add_seconds(now, limits.WORKER_SECONDS)),
        }
        self.dynamodb.put_item(TableName=self.table, Item=item)


def live_workers(items: Iterable[Mapping[str, Any]], now: Micros) -> list[Worker]:
    """Return the workers, among the items of a load partition, with a heartbeat within 120 s before `now`."""
    return [
        _worker(item["sk"]["S"].removeprefix(PREFIX), unpack(bytes(WORKER.check(item)["d"]["B"]), Heartbeat))
        for item in items
        if item["sk"]["S"].startswith(PREFIX) and decode_expiry(item) > now
    ]


def _worker(node: str, heartbeat: Heartbeat) -> Worker:
    return Worker(node, heartbeat.cpu_units, heartbeat.max_concurrent_jobs)
