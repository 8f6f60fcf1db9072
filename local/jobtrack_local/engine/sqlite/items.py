"""Items of one table: read, written and walked within a SQLite connection, with index rows and stream records."""

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from msgspec import msgpack

from jobtrack.store import item_sizes
from jobtrack_local.engine.sqlite.attribute_values import Item, Value
from jobtrack_local.engine.sqlite.refusals import invalid
from jobtrack_local.engine.sqlite.schema import Index, Table

LARGEST_ITEM = 400 * 1024
"""Bytes of names and values."""

LATEST_EXPIRY = 2**53
"""The last epoch second that is a time to expire; a later one is a number that means something else."""
OLDEST_EXPIRY_SECONDS = 5 * 365 * 24 * 3600

RecordChange = Callable[[sqlite3.Connection, Table, Item | None, Item | None], None]
"""Writes the stream record of a change from the old item to the new one."""

encode = msgpack.Encoder().encode
decode = msgpack.Decoder(Item).decode


@dataclass(frozen=True)
class Range:
    """The bounds of a range key as bytes, and whether each bound belongs to the range."""

    low: bytes = b""
    high: bytes | None = None
    includes_low: bool = True
    includes_high: bool = True
    ends: bool = False
    """Whether DynamoDB says that a page ends the walk when it ends at a bound (it does for BETWEEN only)."""

    def covers(self, value: bytes) -> bool:
        """Return whether the value lies within the bounds."""
        above = value > self.low or (self.includes_low and value == self.low)
        return above and (self.high is None or value < self.high or (self.includes_high and value == self.high))

    def end(self, forward: bool) -> bytes | None:
        """Return the value at which a walk is known to end."""
        if not self.ends:
            return None
        return self.high if forward else self.low

    def sql(self, column: str) -> tuple[str, list[bytes]]:
        """Return the condition on the column, and its parameters."""
        condition, parameters = f"{column} {'>=' if self.includes_low else '>'} ?", [self.low]
        if self.high is not None:
            condition += f" AND {column} {'<=' if self.includes_high else '<'} ?"
            parameters.append(self.high)
        return condition, parameters


def prefix_range(prefix: bytes) -> Range:
    """Return the range of keys that begin with the prefix."""
    start = prefix.rstrip(b"\xff")
    if not start:
        return Range(prefix)
    return Range(prefix, start[:-1] + bytes([start[-1] + 1]), includes_high=False)


def read_item(connection: sqlite3.Connection, table: Table, key: Mapping[str, Value]) -> Item | None:
    """Return the item of the key, or None."""
    columns = table.key.columns(key)
    row = connection.execute(f"SELECT item FROM {table.items} WHERE pk = ? AND sk = ?", columns).fetchone()
    return decode(row[0]) if row else None


def write_item(
    connection: sqlite3.Connection, table: Table, old: Item | None, new: Item | None, record_change: RecordChange
) -> None:
    """Replace the old item by the new one (None means no item), in the table, its indexes and its stream."""
    key = table.key.columns(new or old or {})
    if new is None:
        connection.execute(f"DELETE FROM {table.items} WHERE pk = ? AND sk = ?", key)
    else:
        check_size(new)
        connection.execute(
            f"INSERT INTO {table.items} (pk, sk, item, expires) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (pk, sk) DO UPDATE SET item = excluded.item, expires = excluded.expires",
            (*key, encode(new), _expiry(table, new)),
        )
    for index in table.indexes:
        _write_index_row(connection, index, key, old, new)
    if table.stream and old != new:
        record_change(connection, table, old, new)


def check_size(item: Item) -> None:
    """Refuse an item of more than 400 KB."""
    if item_sizes.item_size(item) > LARGEST_ITEM:
        raise invalid("Item size has exceeded the maximum allowed size")


def _expiry(table: Table, item: Item) -> int | None:
    """Return the epoch second at which the item expires, or None."""
    if table.ttl is None or "N" not in item.get(table.ttl, {}):
        return None
    second = float(item[table.ttl]["N"])
    return int(second) if 0 <= second <= LATEST_EXPIRY else None


def note_expiries(connection: sqlite3.Connection, table: Table) -> None:
    """Store the expiry of each item of a table again, after the table's definition has changed."""
    for item in walk_table(connection, table, None):
        connection.execute(
            f"UPDATE {table.items} SET expires = ? WHERE pk = ? AND sk = ?",
            (_expiry(table, item), *table.key.columns(item)),
        )


def _write_index_row(
    connection: sqlite3.Connection, index: Index, key: tuple[bytes, bytes], old: Item | None, new: Item | None
) -> None:
    before = index.key.columns(old) if old and index.key.covers(old) else None
    after = index.key.columns(new) if new and index.key.covers(new) else None
    if before == after:
        return
    if before:
        condition = "hash = ? AND range = ? AND pk = ? AND sk = ?"
        connection.execute(f"DELETE FROM {index.table} WHERE {condition}", (*before, *key))
    if after:
        connection.execute(f"INSERT INTO {index.table} (hash, range, pk, sk) VALUES (?, ?, ?, ?)", (*after, *key))


def walk_partition(
    connection: sqlite3.Connection, table: Table, hash: bytes, bounds: Range, after: bytes | None, forward: bool
) -> Iterator[Item]:
    """Yield the items of a partition in the order of their range keys, from the one after `after`."""
    condition, parameters = bounds.sql("sk")
    if after is not None:
        condition += f" AND sk {'>' if forward else '<'} ?"
        parameters.append(after)
    rows = connection.execute(
        f"SELECT item FROM {table.items} WHERE pk = ? AND {condition} ORDER BY sk {'' if forward else 'DESC'}",
        (hash, *parameters),
    )
    for (item,) in rows:
        yield decode(item)


def walk_index(
    connection: sqlite3.Connection,
    table: Table,
    index: Index,
    hash: bytes,
    bounds: Range,
    after: tuple[bytes, bytes, bytes] | None,
    forward: bool,
) -> Iterator[Item]:
    """Yield the projected items of an index, in the order of the index's range key, then of the table's key."""
    condition, parameters = bounds.sql("range")
    if after is not None:
        condition += f" AND (range, pk, sk) {'>' if forward else '<'} (?, ?, ?)"
        parameters += after
    direction = "" if forward else "DESC"
    order = f"ORDER BY range {direction}, pk {direction}, sk {direction}"
    entries = f"(SELECT * FROM {index.table} WHERE hash = ? AND {condition}) AS entries"
    if names := _projected_strings(table, index):
        for row in connection.execute(f"SELECT hash, range, pk, sk FROM {entries} {order}", (hash, *parameters)):
            yield {name: {"S": value.decode()} for name, value in zip(names, row, strict=True)}
        return
    rows = connection.execute(
        f"SELECT item FROM {entries} JOIN {table.items} USING (pk, sk) {order}", (hash, *parameters)
    )
    for (encoded,) in rows:
        item = decode(encoded)
        yield item if index.projected is None else {n: value for n, value in item.items() if n in index.projected}


def _projected_strings(table: Table, index: Index) -> tuple[str, ...] | None:
    """Return the attributes of an index that projects only keys, if all are strings.

    Its rows then have all attributes.
    """
    names = index.key.names + table.key.names
    types = {**index.key.types, **table.key.types}
    is_enough = len(names) == 4 and index.projected == frozenset(names) and {types[name] for name in names} == {"S"}
    return names if is_enough else None


def walk_table(connection: sqlite3.Connection, table: Table, after: tuple[bytes, bytes] | None) -> Iterator[Item]:
    """Yield every item of a table in the order of its key."""
    condition, parameters = ("WHERE (pk, sk) > (?, ?)", after) if after else ("", ())
    for (item,) in connection.execute(f"SELECT item FROM {table.items} {condition} ORDER BY pk, sk", parameters):
        yield decode(item)


def purge(connection: sqlite3.Connection, table: Table, now: float, most: int, record_expiry: RecordChange) -> int:
    """Delete up to `most` expired items; returns how many there were.

    Until they are deleted, expired items are read like other items. Items that expired over five years ago are never
    deleted, as in DynamoDB:
    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/time-to-live-ttl-before-you-start.html
    """
    rows = connection.execute(
        f"SELECT item FROM {table.items} WHERE expires < ? AND expires > ? ORDER BY expires LIMIT ?",
        (int(now), int(now) - OLDEST_EXPIRY_SECONDS, most),
    ).fetchall()
    for (item,) in rows:
        write_item(connection, table, decode(item), None, record_expiry)
    return len(rows)
