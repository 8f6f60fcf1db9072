"""Definitions of tables, and the SQLite tables that hold their items."""

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jobtrack_local.engine.sqlite.attribute_values import Item, Value, key_bytes
from jobtrack_local.engine.sqlite.refusals import Refused, UnfitItem, invalid

LARGEST_KEYS = {"HASH": 2048, "RANGE": 1024}
"""Bytes of a key's value."""

_TABLES = """
CREATE TABLE IF NOT EXISTS dynamodb_tables (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, definition TEXT NOT NULL)
"""


@dataclass(frozen=True)
class KeySchema:
    """Names and types of a hash key and, if there is one, of a range key."""

    hash: str
    range: str | None
    types: Mapping[str, str]

    @property
    def names(self) -> tuple[str, ...]:
        """The key's attributes."""
        return (self.hash,) if self.range is None else (self.hash, self.range)

    def columns(self, item: Mapping[str, Value]) -> tuple[bytes, bytes]:
        """Return an item's key as bytes that SQLite orders as DynamoDB does."""
        return key_bytes(item[self.hash]), b"" if self.range is None else key_bytes(item[self.range])

    def covers(self, item: Mapping[str, Value]) -> bool:
        """Return whether the item has all attributes of the key; an index contains only such items."""
        return all(name in item for name in self.names)

    def check(self, item: Mapping[str, Value]) -> None:
        """Refuse an empty key; raise UnfitItem for a key of another type or a key that is too long."""
        for name in self.names:
            check_present(name, item[name])
        for name in self.names:
            kind = next(iter(item[name]))
            if kind != self.types[name]:
                raise UnfitItem(
                    "One or more parameter values were invalid: Type mismatch for key"
                    f" {name} expected: {self.types[name]} actual: {kind}"
                )
            if self.too_long(name, item[name]):
                which = "hashkey" if name == self.hash else "rangekey"
                raise UnfitItem(
                    f"One or more parameter values were invalid: Size of {which} has exceeded the maximum size limit of"
                    f" {self._longest(name)} bytes"
                )

    def check_types(self, item: Mapping[str, Value]) -> None:
        """Refuse a starting key whose values have other types."""
        if any(next(iter(item[name])) != self.types[name] for name in self.names):
            raise invalid("Type mismatch for attribute to update")

    def check_value(self, name: str, value: Value) -> None:
        """Refuse a value of a key attribute that is empty or too long."""
        check_present(name, value)
        if self.too_long(name, value):
            raise invalid("One or more parameter values were invalid: Size limit exceeded")

    def too_long(self, name: str, value: Value) -> bool:
        """Return whether a value of a key attribute is too long."""
        ((kind, held),) = value.items()
        return kind in _WORDS and _length(held) > self._longest(name)

    def _longest(self, name: str) -> int:
        return LARGEST_KEYS["HASH" if name == self.hash else "RANGE"]


_KEY_TYPES = frozenset({"S", "N", "B"})
_WORDS = {"S": "string", "B": "binary"}


def check_present(name: str, value: Value) -> None:
    """Refuse a value of a key attribute that is empty, or of a type that keys cannot have."""
    ((kind, held),) = value.items()
    if kind not in _KEY_TYPES:
        raise invalid("Invalid attribute value type")
    if kind in _WORDS and not held:
        raise invalid(
            "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an"
            f" empty {_WORDS[kind]} value. Key: {name}"
        )


def _length(held: str | bytes) -> int:
    return len(held.encode() if isinstance(held, str) else held)


@dataclass(frozen=True)
class Index:
    """A global secondary index, and what it projects: None means every attribute."""

    name: str
    key: KeySchema
    projected: frozenset[str] | None
    table: str


@dataclass(frozen=True)
class Table:
    """A table, with the names of the SQLite tables that hold its items and its indexes."""

    id: int
    name: str
    key: KeySchema
    indexes: Sequence[Index]
    stream: str | None
    """The view type of its stream, None without a stream."""
    ttl: str | None
    """The attribute with the epoch second at which an item expires."""
    definition: Mapping[str, Any]

    @property
    def items(self) -> str:
        """The SQLite table that holds the items."""
        return f"items_{self.id}"

    def index(self, name: str) -> Index:
        """Return the index of that name."""
        found = next((index for index in self.indexes if index.name == name), None)
        if found is None:
            raise invalid(f"The table does not have the specified index: {name}")
        return found


def prepare(connection: sqlite3.Connection) -> None:
    """Create the list of tables."""
    connection.execute(_TABLES)


def create(connection: sqlite3.Connection, definition: Mapping[str, Any]) -> Table:
    """Create a table with its indexes."""
    name = definition["TableName"]
    if connection.execute("SELECT 1 FROM dynamodb_tables WHERE name = ?", (name,)).fetchone():
        raise Refused("ResourceInUseException", f"Table already exists: {name}")
    inserted = connection.execute(
        "INSERT INTO dynamodb_tables (name, definition) VALUES (?, ?)", (name, json.dumps(definition))
    )
    table = _table(inserted.lastrowid or 0, definition)
    connection.execute(
        f"CREATE TABLE {table.items} (pk BLOB NOT NULL, sk BLOB NOT NULL, item BLOB NOT NULL, expires INTEGER,"
        " PRIMARY KEY (pk, sk))"
    )
    connection.execute(f"CREATE INDEX expiry_{table.id} ON {table.items} (expires) WHERE expires IS NOT NULL")
    for index in table.indexes:
        connection.execute(
            f"CREATE TABLE {index.table} (hash BLOB NOT NULL, range BLOB NOT NULL, pk BLOB NOT NULL, sk BLOB NOT NULL,"
            " PRIMARY KEY (hash, range, pk, sk)) WITHOUT ROWID"
        )
    return table


def set_ttl(connection: sqlite3.Connection, table: Table, attribute: str | None) -> Table:
    """Make items expire at the epoch second in the attribute; None disables expiry."""
    definition = {**table.definition, "TimeToLiveAttribute": attribute}
    connection.execute("UPDATE dynamodb_tables SET definition = ? WHERE id = ?", (json.dumps(definition), table.id))
    return _table(table.id, definition)


def tables(connection: sqlite3.Connection) -> dict[str, Table]:
    """Return every table by name."""
    rows = connection.execute("SELECT id, definition FROM dynamodb_tables")
    found = [_table(id, json.loads(definition)) for id, definition in rows]
    return {table.name: table for table in found}


def _table(id: int, definition: Mapping[str, Any]) -> Table:
    types = {each["AttributeName"]: each["AttributeType"] for each in definition["AttributeDefinitions"]}
    key = _key(definition["KeySchema"], types)
    indexes = [
        _index(id, number, description, key, types)
        for number, description in enumerate(definition.get("GlobalSecondaryIndexes", []))
    ]
    stream = definition.get("StreamSpecification", {})
    view = stream["StreamViewType"] if stream.get("StreamEnabled") else None
    return Table(id, definition["TableName"], key, indexes, view, definition.get("TimeToLiveAttribute"), definition)


def _key(schema: Sequence[Mapping[str, str]], types: Mapping[str, str]) -> KeySchema:
    roles = {each["KeyType"]: each["AttributeName"] for each in schema}
    names = roles.values()
    return KeySchema(roles["HASH"], roles.get("RANGE"), {name: types[name] for name in names})


def _index(id: int, number: int, description: Mapping[str, Any], key: KeySchema, types: Mapping[str, str]) -> Index:
    own = _key(description["KeySchema"], types)
    projection = description["Projection"]
    projected = None
    if projection["ProjectionType"] != "ALL":
        projected = frozenset({*key.names, *own.names, *projection.get("NonKeyAttributes", [])})
    return Index(description["IndexName"], own, projected, f"index_{id}_{number}")


def key_of(schema: KeySchema, item: Item) -> Item:
    """Return only the item's key."""
    return {name: item[name] for name in schema.names}
