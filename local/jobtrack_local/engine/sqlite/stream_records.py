"""Stream records: each change of an item is written with the item, in one transaction."""

import sqlite3
import time
from collections.abc import Callable, Mapping
from typing import Any

from jobtrack_local.engine.sqlite import items
from jobtrack_local.engine.sqlite.attribute_values import Item
from jobtrack_local.engine.sqlite.database import Database
from jobtrack_local.engine.sqlite.refusals import Refused
from jobtrack_local.engine.sqlite.schema import Table, key_of

Filter = Callable[[Mapping[str, Any]], bool]
"""Whether a consumer wants a record, by its `eventName`, keys and images."""

_TABLES = """
CREATE TABLE IF NOT EXISTS stream_records (
  sequence INTEGER PRIMARY KEY AUTOINCREMENT, table_id INTEGER NOT NULL, at REAL NOT NULL, event TEXT NOT NULL,
  keys BLOB NOT NULL, old BLOB, new BLOB, expired INTEGER NOT NULL
)
"""
EXPIRY = {"type": "Service", "principalId": "dynamodb.amazonaws.com"}
"""The `userIdentity` of a record if DynamoDB deleted the item because it had expired, as a function receives it.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/time-to-live-ttl-streams.html
"""
_IMAGES = {"NEW_IMAGE": ("NewImage",), "OLD_IMAGE": ("OldImage",), "NEW_AND_OLD_IMAGES": ("NewImage", "OldImage")}


class StreamWriter:
    """Writes the records that a table's consumer wants; without a consumer, all of them."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock
        self._filters: dict[str, Filter] = {}
        database.write(lambda connection: connection.execute(_TABLES))

    def add_consumer(self, table: Table, wanted: Filter) -> None:
        """From now on, write only records that the consumer wants, because AWS passes it no other records.

        Raises:
            Refused: the stream has a consumer. A second consumer would miss the records that the first one trims.
        """
        if table.name in self._filters:
            raise Refused("LimitExceededException", f"The stream of {table.name} has a consumer")
        self._filters[table.name] = wanted

    def write(self, connection: sqlite3.Connection, table: Table, old: Item | None, new: Item | None) -> None:
        """Write the record of a change in the item's transaction, and wake the consumer once it is committed."""
        self._write(connection, table, old, new, expired=False)

    def write_expiry(self, connection: sqlite3.Connection, table: Table, old: Item | None, new: Item | None) -> None:
        """Write the record of the deletion of an item that has expired."""
        self._write(connection, table, old, new, expired=True)

    def _write(
        self, connection: sqlite3.Connection, table: Table, old: Item | None, new: Item | None, *, expired: bool
    ) -> None:
        event = "INSERT" if old is None else "REMOVE" if new is None else "MODIFY"
        key = key_of(table.key, new or old or {})
        wanted = self._filters.get(table.name)
        record = {"eventName": event, "dynamodb": {"Keys": key, **images(table, old, new)}}
        if wanted and not wanted(record | ({"userIdentity": EXPIRY} if expired else {})):
            return
        encoded = (None if image is None else items.encode(image) for image in (old, new))
        row = (table.id, self._clock(), event, items.encode(key), *encoded, expired)
        connection.execute(
            "INSERT INTO stream_records (table_id, at, event, keys, old, new, expired) VALUES (?, ?, ?, ?, ?, ?, ?)",
            row,
        )
        self._database.announce(topic(table))


def topic(table: Table) -> object:
    """Return the topic of the database that announces new records of a table."""
    return "stream", table.name


def images(table: Table, old: Item | None, new: Item | None) -> dict[str, Item]:
    """Return the images of an item that its table's stream shows."""
    both = {"NewImage": new, "OldImage": old}
    return {name: image for name in _IMAGES.get(table.stream or "", ()) if (image := both[name]) is not None}
