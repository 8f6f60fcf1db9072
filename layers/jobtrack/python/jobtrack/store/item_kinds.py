"""Every kind of stored item: its table, the shape of its keys, and its formats.

Each item stores the format number of its kind. A reader accepts the formats that its release knows, and refuses others:
a stack that was rolled back may meet items of a newer release. docs/decisions/keys-and-indexes.md explains when to
raise a format.

In the shape of a key, T, P and J are the ids of tenant, project and job, and `<name>` is a part of `_PARTS`.
"""

import logging
import re
from collections.abc import Mapping
from functools import cached_property
from typing import Any, Literal, TypeVar

from msgspec import Struct

from jobtrack.errors import UnreadableFormat

logger = logging.getLogger(__name__)

Item = TypeVar("Item", bound=Mapping[str, Any])
TableName = Literal["JobsTable", "SubscriptionsTable", "DeliveriesTable", "QuarantineTable"]
"""The logical id of a table in template.yaml."""

FORMAT = "f"
"""The attribute with the number of the item's format."""

_ID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_PARTS = {
    "dependent": _ID,
    "digest": "[0-9a-f]{64}",
    "due": r"\d{18}",
    "family": "[DEIMPQTW][nw]",
    "hash": "[0-9a-f]{32}",
    "id": ".+",
    "member": "[a-z]+",
    "name": ".+",
    "node": ".+",
    "number": r"\d+",
    "place": ".+",
    "reversed": r"\d{19}",
    "sequence": r"\d{12}",
    "shard": r"\d+",
    "time": r"\d{18}",
    "timer": "[a-z]+",
}


class ItemKind(Struct, frozen=True, dict=True):
    """A kind of item.

    Args:
        name: the name of the kind in logs and documents.
        table: the table of the items.
        partition: the shape of the partition key.
        sort_key: the shape of the sort key.
        format: the format that is written.
        readable: the formats that can be read.
    """

    name: str
    table: TableName
    partition: str
    sort_key: str
    format: int = 1
    readable: tuple[int, ...] = (1,)

    @property
    def stamp(self) -> dict[str, Any]:
        """The attribute of a new item with its format."""
        return {FORMAT: {"N": str(self.format)}}

    def check(self, item: Item) -> Item:
        """Return the item, if its format can be read.

        Raises:
            UnreadableFormat: this release cannot read it.
        """
        stored = item.get(FORMAT, {}).get("N")
        if stored is None or int(stored) not in self.readable:
            place = " ".join(str(item[name].get("S")) for name in ("pk", "sk") if name in item)
            logger.error("%s %s has format %s; this release reads %s", self.name, place, stored, self.readable)
            raise UnreadableFormat(f"A stored {self.name} has a format that this release cannot read.")
        return item

    def covers(self, partition: str, sort_key: str) -> bool:
        """Return whether an item with these keys is of this kind."""
        return bool(self._partition.fullmatch(partition) and self._sort_key.fullmatch(sort_key))

    @cached_property
    def _partition(self) -> re.Pattern[str]:
        return _pattern(self.partition)

    @cached_property
    def _sort_key(self) -> re.Pattern[str]:
        return _pattern(self.sort_key)


def _pattern(shape: str) -> re.Pattern[str]:
    """Return the pattern of a shape; `[#J]` is optional."""
    parts = re.split(r"(<\w+>|\[#J\]|\b[TPJ]\b)", shape)
    return re.compile("".join(_part(part) for part in parts), re.DOTALL)


def _part(part: str) -> str:
    if part == "[#J]":
        return f"(?:#{_ID})?"
    if part in ("T", "P", "J"):
        return _ID
    return _PARTS[part[1:-1]] if part.startswith("<") else re.escape(part)


SNAPSHOT = ItemKind("snapshot", "JobsTable", "T#P#J", "S")
CHUNK = ItemKind("chunk", "JobsTable", "T#P#J", "L<family>#<time>#<sequence>")
SEQUENCE_INDEX = ItemKind("sequence index", "JobsTable", "T#P#J", "N#<sequence>")
RELATIONS = ItemKind("relations", "JobsTable", "T#P#J", "R#<member>")
EDGE = ItemKind("edge", "JobsTable", "T#P#J", "D#<dependent>")
EXTRAS = ItemKind("extras", "JobsTable", "T#P#J", "X#<sequence>#<number>")
OUTBOX_RECORD = ItemKind("outbox record", "JobsTable", "T#P#J", "O#<place>")
FIRST_RESPONSE = ItemKind("first response", "JobsTable", "T#P[#J]", "I#<hash>")
WORKER = ItemKind("worker", "JobsTable", "T#P#load#<shard>", "W#<node>")
OPEN_JOB_COUNTER = ItemKind("open job counter", "JobsTable", "T#P#load#<shard>", "C#<number>")
DURATION_COUNTER = ItemKind("duration counter", "JobsTable", "T#type#<hash>#<shard>", "0#<number>")
COMPLETION = ItemKind("completion", "JobsTable", "T#type#<hash>#<shard>", "1#<reversed>#T#P#J")
JOB_TIMER = ItemKind("job timer", "JobsTable", "<timer>#<shard>", "<due>#T#P#J")
SUBSCRIPTION = ItemKind("subscription", "SubscriptionsTable", "T#P#J", "sub-<id>")
POINTER = ItemKind("pointer", "SubscriptionsTable", "T#P", "sub-<id>")
SUBSCRIPTION_TIMER = ItemKind("subscription timer", "SubscriptionsTable", "<timer>#<shard>", "<due>#T#P#J#sub-<id>")
TICKET = ItemKind("ticket", "SubscriptionsTable", "ticket#<digest>", "ticket")
CONNECTION = ItemKind("connection", "SubscriptionsTable", "connection#<id>", "connection")
DELIVERY = ItemKind("delivery", "DeliveriesTable", "sub-<id>", "msg_<place>")
ENDPOINT_HEALTH = ItemKind("endpoint health", "DeliveriesTable", "endpoint#<name>", "health")
QUARANTINED_RECORD = ItemKind("quarantined record", "QuarantineTable", "<name>", "<place>")

KINDS = tuple(value for value in dict(globals()).values() if isinstance(value, ItemKind))
"""All kinds."""


def kind_of(table: str, item: Mapping[str, Any]) -> ItemKind | None:
    """Return the kind of an item of a table, by its logical id; None for an item that no kind covers."""
    partition, sort_key = item["pk"]["S"], item["sk"]["S"]
    return next((kind for kind in KINDS if kind.table == table and kind.covers(partition, sort_key)), None)
