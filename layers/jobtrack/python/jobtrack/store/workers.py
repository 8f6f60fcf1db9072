"""Workers: an item for each node in the project's partition, which expires 120 s after its last heartbeat."""

from typing import TYPE_CHECKING

from msgspec import Struct

from jobtrack import limits, times
from jobtrack.domain.journal.packing import pack, unpack
from jobtrack.domain.queue_forecast import Worker
from jobtrack.keys import ProjectKey
from jobtrack.store.key_conditions import with_prefix
from jobtrack.store.ttl import decode_expiry, encode_expiry
from jobtrack.times import Micros

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_dynamodb.type_defs import AttributeValueTypeDef

_PREFIX = "W#"


class Heartbeat(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The capacity and the use of a node, as it reported them."""

    cpu_units: float
    memory_gb: float
    max_concurrent_jobs: int
    cpu_usage: float | None = None
    memory_bytes: int | None = None


class WorkerStore(Struct, frozen=True):
    """Reads and writes workers in the jobs table."""

    dynamodb: "DynamoDBClient"
    table: str

    def put_worker(self, owner: ProjectKey, node: str, heartbeat: Heartbeat, now: Micros) -> None:
        """Store the heartbeat of a node at `now`."""
        item: dict[str, AttributeValueTypeDef] = {
            **owner.item_key(f"{_PREFIX}{node}"),
            "d": {"B": pack(heartbeat)},
            "exp": encode_expiry(times.add_seconds(now, limits.WORKER_SECONDS)),
        }
        self.dynamodb.put_item(TableName=self.table, Item=item)

    def read_live_workers(self, owner: ProjectKey, now: Micros) -> list[Worker]:
        """Return the workers with a heartbeat within 120 s before `now`."""
        pages = self.dynamodb.get_paginator("query").paginate(
            TableName=self.table,
            ConsistentRead=True,
            **with_prefix(owner.partition, _PREFIX),
        )
        items = [item for page in pages for item in page["Items"]]
        return [
            _worker(item["sk"]["S"].removeprefix(_PREFIX), unpack(bytes(item["d"]["B"]), Heartbeat))
            for item in items
            if decode_expiry(item) > now
        ]


def _worker(node: str, heartbeat: Heartbeat) -> Worker:
    return Worker(node, heartbeat.cpu_units, heartbeat.max_concurrent_jobs)
