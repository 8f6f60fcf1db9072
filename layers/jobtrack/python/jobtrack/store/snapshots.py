"""A job's snapshot: its state, the tail of its journal, and its listeners, in one item that one request reads.

Members that may grow large (metadata, the stages' metrics and errors) are moved out of the snapshot to *extras*:
separate items, which are read only for responses that show them.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import orjson
from msgspec import Struct, field

from jobtrack.domain.job import Job, Json, Stage
from jobtrack.domain.journal.journal import Journal, StoredJournal
from jobtrack.domain.journal.packing import unpack
from jobtrack.errors import NotFound
from jobtrack.keys import JobKey
from jobtrack.store import item_kinds, write_marks
from jobtrack.store.transactions import Item
from jobtrack.times import Micros

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

SORT_KEY = "S"
EXTRAS = "X#"

_MAX_STAGE_METRICS_BYTES = 256
_MAX_METRICS_BYTES = 4_096
_MAX_ERROR_BYTES = 256
_MAX_METADATA_BYTES = 256
"""Larger members are moved out; the limit of metrics applies to all stages together."""


class Listener(Struct, frozen=True):
    """A live subscription, as its job stores it: when it expires, and the kinds of event it wants."""

    expires_at: Micros
    interests: frozenset[str]


class State(Struct, array_like=True):
    """The stored form of a job and its journal, without the tail."""

    job: Job
    journal: StoredJournal


class Snapshot(Struct):
    """One version of a job; `marks` are the marks of its last writers (`write_marks`)."""

    key: JobKey
    version: int
    job: Job
    journal: Journal = field(default_factory=Journal)
    listeners: dict[str, Listener] = field(default_factory=dict)
    marks: bytes = b""

    def live(self, now: Micros) -> dict[str, Listener]:
        """Return the listeners that have not expired at `now`, by subscription id."""
        return {name: listener for name, listener in self.listeners.items() if listener.expires_at > now}


def snapshot_key(key: JobKey) -> dict[str, Any]:
    """Return the primary key of a job's snapshot."""
    return key.item_key(SORT_KEY)


def metadata_key(key: JobKey) -> dict[str, Any]:
    """Return the primary key of a job's metadata, if they were moved out. This happens with the first event."""
    return key.item_key(extras_key(1, 0))


def extras_key(sequence: int, index: int) -> str:
    """Return the sort key of extras; `sequence` is the last sequence of the batch that moved them out."""
    return f"{EXTRAS}{sequence:012d}#{index:03d}"


def read_snapshot(dynamodb: "DynamoDBClient", table: str, key: JobKey) -> Snapshot:
    """Read a job's snapshot, strongly consistent.

    Raises:
        NotFound: there is no such job.
    """
    return decode_snapshot(key, read_snapshot_item(dynamodb, table, key))


def read_snapshot_item(dynamodb: "DynamoDBClient", table: str, key: JobKey) -> Item:
    """Read a job's snapshot as it is stored, strongly consistent.

    Raises:
        NotFound: there is no such job.
    """
    item = dynamodb.get_item(TableName=table, Key=snapshot_key(key), ConsistentRead=True).get("Item")
    if item is None:
        raise NotFound(f"There is no job {key.job} in this project.")
    return item


def decode_snapshot(key: JobKey, item: Item) -> Snapshot:
    """Return the snapshot in an item.

    Raises:
        UnreadableFormat: another release stored it.
    """
    state = unpack(item_kinds.SNAPSHOT.check(item)["d"]["B"], State)
    return Snapshot(
        key,
        int(item["v"]["N"]),
        state.job,
        Journal.load(state.journal, item["t"]["B"]),
        {name: _decode_listener(value["L"]) for name, value in item.get("subs", {"M": {}})["M"].items()},
        write_marks.read_marks(item),
    )


def encode_listener(listener: Listener) -> dict[str, Any]:
    """Return a listener as it is stored in the snapshot."""
    return {"L": [{"N": str(listener.expires_at)}, {"S": " ".join(sorted(listener.interests))}]}


def _decode_listener(value: list[Any]) -> Listener:
    return Listener(Micros(int(value[0]["N"])), frozenset(value[1]["S"].split()))


def take_extras(job: Job) -> Json:
    """Move members that are too large for a snapshot out of the job; return them in their stored form."""
    extras: Json = {}
    if job.metadata is not None and _size(job.metadata) > _MAX_METADATA_BYTES:
        extras["metadata"], job.metadata = job.metadata, None
    is_crowded = sum(_size(stage.metrics) for stage in job.stages if stage.metrics) > _MAX_METRICS_BYTES
    if stages := {stage.name: taken for stage in job.stages if (taken := _take_from_stage(stage, is_crowded))}:
        extras["stages"] = stages
    if extras:
        job.spilled = True
    return extras


def restore_extras(job: Job, extras: Sequence[Json]) -> None:
    """Put extras back into the job, oldest first."""
    for part in extras:
        if "metadata" in part:
            job.metadata = part["metadata"]
        for name, taken in part.get("stages", {}).items():
            if stage := job.stage(name):
                _restore_stage(stage, taken)


def _take_from_stage(stage: Stage, is_crowded: bool) -> Json:
    taken: Json = {}
    if stage.metrics and (is_crowded or stage.spilled or _size(stage.metrics) > _MAX_STAGE_METRICS_BYTES):
        taken["metrics"], stage.metrics, stage.spilled = stage.metrics, None, True
    if stage.error and _size(stage.error) > _MAX_ERROR_BYTES:
        taken["error"], stage.error = [stage.error_at, stage.error], None
    return taken


def _restore_stage(stage: Stage, taken: Json) -> None:
    if metrics := taken.get("metrics"):
        stage.metrics = {**(stage.metrics or {}), **metrics}
    at, error = taken.get("error", (None, None))
    if error and at == stage.error_at:  # otherwise it is the error of an earlier attempt
        stage.error = error


def _size(value: Json | None) -> int:
    return len(orjson.dumps(value))
