"""Query and Scan, page by page.

A page ends after `Limit` items, or with the item that takes it past 1 MB; filters are applied after that:
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Query.Pagination.html
"""

import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jobtrack.store import item_sizes
from jobtrack_local.engine.sqlite import items
from jobtrack_local.engine.sqlite.attribute_values import Item, canonical_item, key_bytes
from jobtrack_local.engine.sqlite.expressions import KeyTest
from jobtrack_local.engine.sqlite.items import Range
from jobtrack_local.engine.sqlite.paths import Path
from jobtrack_local.engine.sqlite.refusals import invalid
from jobtrack_local.engine.sqlite.requests import Request, projected
from jobtrack_local.engine.sqlite.schema import Index, KeySchema, Table

LARGEST_PAGE = 1024 * 1024
"""Bytes of items read."""

Params = Mapping[str, Any]


@dataclass(frozen=True)
class Page:
    """The items of a page after the filter, the number of items read, and the key after which the next page starts."""

    items: Sequence[Item]
    scanned: int
    last: Item | None


def query_page(connection: sqlite3.Connection, table: Table, params: Params) -> Page:
    """Read a page of one partition."""
    request = Request(params)
    index = table.index(params["IndexName"]) if "IndexName" in params else None
    key = index.key if index else table.key
    hash, bounds = _key_range(key, request)
    page = _Reader(table, index, request, params, unfiltered=key.names)
    forward, start = params.get("ScanIndexForward", True), page.start
    _check_start(key, start, hash, bounds, forward)
    if index is None:
        after = key_bytes(start[table.key.range]) if start and table.key.range else None
        return page.read(items.walk_partition(connection, table, hash, bounds, after, forward), bounds.end(forward))
    place = (key.columns(start)[1], *table.key.columns(start)) if start else None
    return page.read(items.walk_index(connection, table, index, hash, bounds, place, forward))


def scan_page(connection: sqlite3.Connection, table: Table, params: Params) -> Page:
    """Read a page of a whole table."""
    page = _Reader(table, None, Request(params), params)
    after = table.key.columns(page.start) if page.start else None
    return page.read(items.walk_table(connection, table, after))


class _Reader:
    """Reads one page from a walk over items."""

    def __init__(
        self, table: Table, index: Index | None, request: Request, params: Params, unfiltered: Collection[str] = ()
    ) -> None:
        self._key_names = dict.fromkeys([*(index.key.names if index else ()), *table.key.names])
        self._range = table.key.range
        self._limit: int | None = params.get("Limit")
        self._test = request.condition("FilterExpression", unfiltered)
        self._paths = request.projection()
        request.check_unused()
        if index is not None and index.projected is not None:
            _check_projected(index.name, index.projected, request, self._paths)
        start = params.get("ExclusiveStartKey")
        if start is not None and set(start) != set(self._key_names):
            raise invalid("The provided starting key is invalid")
        self.start = canonical_item(start) if start is not None else None

    def read(self, walk: Iterator[Item], end: bytes | None = None) -> Page:
        """Return the page; an item with the range key `end` is known to be the last."""
        passed: list[Item] = []
        scanned = size = 0
        last: Item | None = None
        for item in walk:
            if size > LARGEST_PAGE:
                return Page(passed, scanned, last)
            scanned += 1
            size += item_sizes.item_size(item)
            last = {name: item[name] for name in self._key_names}
            if self._test is None or self._test(item):
                passed.append(projected(item, self._paths))
            if scanned == self._limit and not self._is_last(item, end):
                return Page(passed, scanned, last)
        return Page(passed, scanned, None)

    def _is_last(self, item: Item, end: bytes | None) -> bool:
        return end is not None and self._range is not None and key_bytes(item[self._range]) == end


def _check_projected(name: str, projected: Collection[str], request: Request, paths: Iterable[Path] | None) -> None:
    """Refuse attributes that an index does not hold, in the projection and in the filter."""
    missing = sorted({str(path[0]) for path in paths or ()} - {*projected})
    if missing:
        raise invalid(
            f"One or more parameter values were invalid: Global secondary index {name} does not project"
            f" [{', '.join(missing)}]"
        )
    unread = sorted(request.attributes("FilterExpression") - {*projected})
    if unread:
        raise invalid(
            f"One or more parameter values were invalid: Secondary index {name} does not project one or more filter"
            f" attributes: [{', '.join(unread)}]"
        )


def _key_range(key: KeySchema, request: Request) -> tuple[bytes, Range]:
    """Return the hash key as bytes, and the bounds of the range key."""
    tests = {test.attribute: test for test in request.key_tests()}
    hash = tests.pop(key.hash, None)
    if hash is None or hash.operator != "=":
        raise invalid(f"Query condition missed key schema element: {key.hash}")
    if not tests:
        return _key_value(key, hash, request)[0], Range()
    if key.range is None or key.range not in tests:
        raise invalid(f"Query condition missed key schema element: {key.range}")
    test = tests[key.range]
    return _key_value(key, hash, request)[0], _bounds(test.operator, _key_value(key, test, request))


def _check_start(key: KeySchema, start: Item | None, hash: bytes, bounds: Range, forward: bool) -> None:
    """Refuse a starting key that the key condition does not cover."""
    if start is None:
        return
    key.check_types(start)
    own_hash, own_range = key.columns(start)
    if own_hash != hash:
        raise invalid("The provided starting key is outside query boundaries based on provided conditions")
    if not bounds.covers(own_range) or own_range == bounds.end(forward):
        raise invalid("The provided starting key does not match the range key predicate")


def _key_value(key: KeySchema, test: KeyTest, request: Request) -> list[bytes]:
    values = [request.value(name) for name in test.values]
    for value in values:
        if next(iter(value)) != key.types[test.attribute]:
            raise invalid(
                "One or more parameter values were invalid: Condition parameter type does not match schema type"
            )
        key.check_value(test.attribute, value)
    return [key_bytes(value) for value in values]


def _bounds(operator: str, values: Sequence[bytes]) -> Range:
    value = values[0]
    match operator:
        case "=":
            return Range(value, value)
        case "<":
            return Range(high=value, includes_high=False)
        case "<=":
            return Range(high=value)
        case ">":
            return Range(value, includes_low=False)
        case ">=":
            return Range(value)
        case "BETWEEN":
            if value > values[1]:
                raise invalid("The BETWEEN operator requires upper bound to be greater than or equal to lower bound;")
            return Range(value, values[1], ends=True)
        case _:
            return items.prefix_range(value)
