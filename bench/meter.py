"""Count the requests, capacity units and bytes that AWS would charge for, from the events of a boto3 client."""

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from jobtrack.store.item_sizes import item_size

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

Item = Mapping[str, Any]


@dataclass(slots=True)
class Usage:
    """Requests, write units, read units and bytes read."""

    requests: int = 0
    write_units: float = 0
    read_units: float = 0
    bytes_read: int = 0


@dataclass(slots=True)
class Meter:
    """Measures one client. A second client, not measured, reads the items after updates.

    A transaction costs two write units per KB of each item, rounded up. The larger of the sizes before and after the
    change counts. The meter computes these units, because the local engine reports too few. A read unit is 4 KB, as the
    engine reports.
    """

    client: "DynamoDBClient"
    lookup: "DynamoDBClient"
    usage: Usage = field(default_factory=Usage)

    def __post_init__(self) -> None:
        events = self.client.meta.events
        for operation in ("GetItem", "Query", "BatchGetItem"):
            events.register(f"provide-client-params.dynamodb.{operation}", _ask_for_units)
            events.register(f"after-call.dynamodb.{operation}", self._read)
        for operation in ("TransactWriteItems", "UpdateItem", "PutItem"):
            events.register(f"provide-client-params.dynamodb.{operation}", self._writing)

    @contextmanager
    def measured(self) -> Iterator[Usage]:
        """Return the usage within the block."""
        self.usage = Usage()
        yield self.usage

    def _read(self, parsed: Mapping[str, Any], **_: object) -> None:
        self.usage.requests += 1
        used = parsed.get("ConsumedCapacity", {})
        used = used if isinstance(used, list) else [used]
        self.usage.read_units += sum(table.get("CapacityUnits", 0) for table in used)
        items = parsed.get("Items") or [parsed.get("Item") or {}]
        self.usage.bytes_read += sum(item_size(item) for item in items)

    def _writing(self, params: dict[str, Any], model: Any, **_: object) -> None:
        self.usage.requests += 1
        actions = params.get("TransactItems") or [{model.name[:3]: params}]
        factor = 2 if "TransactItems" in params else 1
        for action in actions:
            ((_, write),) = action.items()
            self.usage.write_units += factor * self._units(write)

    def _units(self, write: Mapping[str, Any]) -> int:
        after = item_size(write["Item"]) if "Item" in write else self._updated_size(write)
        return math.ceil(after / 1024)

    def _updated_size(self, write: Mapping[str, Any]) -> int:
        """Return the item's size before or after the update, whichever is larger."""
        stored = self.lookup.get_item(TableName=write["TableName"], Key=write["Key"]).get("Item", {})
        values = write["ExpressionAttributeValues"]
        names = write.get("ExpressionAttributeNames", {name: name.removeprefix(":") for name in values})
        after = dict(stored) | {name: values[f":{name}"] for name in names.values() if f":{name}" in values}
        return max(item_size(stored), item_size(after))


def _ask_for_units(params: dict[str, Any], **_: object) -> None:
    params["ReturnConsumedCapacity"] = "TOTAL"
