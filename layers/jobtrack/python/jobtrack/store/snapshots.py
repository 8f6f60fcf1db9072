"""A job's snapshot: its state, journal tail and directory, and who listens, in one item read with one request.

What may grow beyond a snapshot's budget (metadata, the stages' metrics and errors) is moved out to *extras*, items of
their own that only the readers who show them pay for.
"""

from typing import TYPE_CHECKING, Any

import orjson
from msgspec import Struct, field

from jobtrack import times
from jobtrack.domain.job import Job, Json, Stage
from jobtrack.domain.journal.journal import Journal, StoredJournal
from jobtrack.domain.journal.packing import unpack
from jobtrack.errors import NotFound
from jobtrack.keys import JobKey
from jobtrack.store import write_marks
from jobtrack.store.transactions import Item

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

SORT_KEY = "S"
EXTRAS = "X#"

_STAGE_METRICS_INLINE = 256
_METRICS_INLINE = 4_096
_ERROR_INLINE = 256
_METADATA_INLINE = 256


class Listener(Struct, frozen=True):
    """A live subscription as its job knows it: until when (epoch seconds), and for which kinds of event."""

    expires_at: int
    interests: frozenset[str]


class State(Struct, array_like=True):
    """The stored form of a job and its journal, without the tail."""

    job: Job
    journal: StoredJournal


class Snapshot(Struct):
    """A job as one version of it stands; `marks` are those of its last writers."""

    key: JobKey
    version: int
    job: Job
    journal: Journal = field(default_factory=Journal)
    listeners: dict[str, Listener] = field(default_factory=dict)
    marks: bytes = b""

    def live(self, now: int) -> dict[str, Listener]:
        """The listeners that have not expired at `now` (µs)."""
        return {name: each for name, each in self.listeners.items() if each.expires_at > now // times.SECOND}


def snapshot_key(key: JobKey) -> dict[str, Any]:
    """The primary key of the job's snapshot."""
    return {"pk": {"S": key.partition}, "sk": {"S": SORT_KEY}}


def metadata_key(key: JobKey) -> dict[str, Any]:
    """The primary key of the job's metadata, where they had no room: they are written with its first event alone."""
    return {"pk": {"S": key.partition}, "sk": {"S": extras_key(1, 0)}}


def extras_key(sequence: int, index: int) -> str:
    """The sort key of one of the extras that were moved out at a sequence."""
    return f"{EXTRAS}{sequence:012d}#{index:03d}"


def read_snapshot_item(dynamodb: "DynamoDBClient", table: str, key: JobKey) -> Item:
    """The stored snapshot, as every write acknowledged before left it.

    Raises:
        NotFound: there is no such job.
    """
    item = dynamodb.get_item(TableName=table, Key=snapshot_key(key), ConsistentRead=True).get("Item")
    if item is None:
        raise NotFound(f"There is no job {key.job} in this project.")
    return item


def decode_snapshot(key: JobKey, item: Item) -> Snapshot:
    """Read a stored snapshot."""
    state = unpack(item["d"]["B"], State)
    return Snapshot(
        key,
        int(item["v"]["N"]),
        state.job,
        Journal.load(state.journal, item["t"]["B"]),
        {name: _decode_listener(value["L"]) for name, value in item.get("subs", {"M": {}})["M"].items()},
        write_marks.stored(item),
    )


def encode_listener(listener: Listener) -> dict[str, Any]:
    """A listener as it is stored in the snapshot."""
    return {"L": [{"N": str(listener.expires_at)}, {"S": " ".join(sorted(listener.interests))}]}


def _decode_listener(value: list[Any]) -> Listener:
    return Listener(int(value[0]["N"]), frozenset(value[1]["S"].split()))


def take_extras(job: Job) -> Json:
    """Move out of the job what is too large for a snapshot; answers what to store apart, empty where nothing is."""
    extras: Json = {}
    if job.metadata is not None and _size(job.metadata) > _METADATA_INLINE:
        extras["metadata"], job.metadata = job.metadata, None
    crowded = sum(_size(stage.metrics) for stage in job.stages if stage.metrics) > _METRICS_INLINE
    if stages := {stage.name: taken for stage in job.stages if (taken := _taken(stage, crowded))}:
        extras["stages"] = stages
    if extras:
        job.spilled = True
    return extras


def restore_extras(job: Job, extras: list[Json]) -> None:
    """Put back what was moved out, oldest first."""
    for part in extras:
        if "metadata" in part:
            job.metadata = part["metadata"]
        for name, taken in part.get("stages", {}).items():
            if stage := job.stage(name):
                _put_back(stage, taken)


def _taken(stage: Stage, crowded: bool) -> Json:
    taken: Json = {}
    if stage.metrics and (crowded or stage.spilled or _size(stage.metrics) > _STAGE_METRICS_INLINE):
        taken["metrics"], stage.metrics, stage.spilled = stage.metrics, None, True
    if stage.error and _size(stage.error) > _ERROR_INLINE:
        taken["error"], stage.error = [stage.error_at, stage.error], None
    return taken


def _put_back(stage: Stage, taken: Json) -> None:
    if metrics := taken.get("metrics"):
        stage.metrics = {**(stage.metrics or {}), **metrics}
    at, error = taken.get("error", (None, None))
    if error and at == stage.error_at:  # else of an attempt before the last
        stage.error = error


def _size(value: Json | None) -> int:
    return len(orjson.dumps(value))
