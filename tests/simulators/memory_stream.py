"""A table's stream in memory: shards that are split, and records that are forgotten after a day."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import count

from jobtrack import times
from jobtrack.times import Micros
from jobtrack_local.pollers.stream_mapping import Page, Shard
from jobtrack_local.runtime.events import Record, created_at, sequence_number

KEPT_SECONDS = 24 * 3600
PAGE = 1000
"""Most records that GetRecords gives."""


@dataclass
class _Shard:
    parent: str | None
    records: list[Record] = field(default_factory=list)
    closed: bool = False


@dataclass
class MemoryStream:
    """Shards by name; numbers rise over all of them."""

    clock: Callable[[], Micros] = times.now
    page: int = PAGE
    _shards: dict[str, _Shard] = field(default_factory=dict)
    _numbers: "count[int]" = field(default_factory=count)

    def open(self, name: str, parent: str | None = None) -> None:
        """Begin a shard."""
        self._shards[name] = _Shard(parent)

    def split(self, name: str, *children: str) -> None:
        """Close a shard; what follows goes to its children."""
        self._shards[name].closed = True
        for child in children:
            self.open(child, name)

    def put(self, shard: str, record: Record) -> str:
        """Write a record; its sequence number, which it gets here beside the time."""
        number = f"{next(self._numbers):021d}"
        change = record.get("dynamodb", {})
        told = {**change, "SequenceNumber": number} if isinstance(change, dict) else {}
        self._shards[shard].records.append(
            {**record, "dynamodb": {"ApproximateCreationDateTime": self.clock() / times.SECOND, **told}}
        )
        return number

    def shards(self) -> Iterable[Shard]:
        """Every shard."""
        return [Shard(name, shard.parent) for name, shard in self._shards.items()]

    def read(self, shard: str, after: str | None) -> Page:
        """What follows, as far as it is still kept."""
        held, oldest = self._shards[shard], times.add_seconds(self.clock(), -KEPT_SECONDS)
        rest = [
            record
            for record in held.records
            if (after is None or sequence_number(record) > after) and created_at(record) >= oldest
        ]
        return Page(rest[: self.page], held.closed and len(rest) <= self.page)

    def trim(self, shard: str, position: str) -> None:
        """Forget the records up to a position."""
        kept = self._shards[shard]
        kept.records = [record for record in kept.records if sequence_number(record) > position]
