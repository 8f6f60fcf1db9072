"""Put, update, delete and condition check: each turns the item before the change into the item after it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from jobtrack.store import item_sizes
from jobtrack_local.engine.sqlite.attribute_values import Item, canonical_item
from jobtrack_local.engine.sqlite.items import check_size
from jobtrack_local.engine.sqlite.refusals import Refused, UnfitItem, invalid
from jobtrack_local.engine.sqlite.requests import Request, key_of_request
from jobtrack_local.engine.sqlite.schema import Table, key_of

Params = Mapping[str, Any]


@dataclass(frozen=True)
class Outcome:
    """An item before and after a change; None where there is none."""

    old: Item | None
    new: Item | None


class Change(Protocol):
    """A change of one item."""

    key: Item

    @property
    def size(self) -> int:
        """The bytes that count towards the limit of a transaction."""

    def apply(self, item: Item | None) -> Outcome:
        """Return the outcome; raises Refused if the condition does not hold."""

    def response(self, outcome: Outcome) -> dict[str, Any]:
        """Return the response that the request's ReturnValues asks for."""


class _Conditional:
    """A change with a condition. Errors of the request are found before its key is compared with the table's key."""

    key: Item

    def __init__(self, params: Params) -> None:
        self._params = params
        self._request = Request(params)
        self._test = self._request.condition("ConditionExpression")

    @property
    def size(self) -> int:
        return item_sizes.item_size(self.key) + self._request.size

    def _check(self, item: Item | None) -> None:
        if self._test is None or self._test(item or {}):
            return
        returned = self._params.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD" and item
        members: dict[str, Any] = {"Item": item} if returned else {}
        raise Refused("ConditionalCheckFailedException", "The conditional request failed", **members)

    def response(self, outcome: Outcome) -> dict[str, Any]:
        wanted = self._params.get("ReturnValues", "NONE")
        item = {"ALL_OLD": outcome.old, "ALL_NEW": outcome.new}.get(wanted)
        return {} if item is None else {"Attributes": item}


class Put(_Conditional):
    """Stores an item, and replaces the old item if there is one."""

    def __init__(self, table: Table, params: Params) -> None:
        self._item = canonical_item(params["Item"])
        super().__init__(params)
        self._request.check_unused()
        check_size(self._item)
        _check_keys(table, self._item)
        self.key = key_of(table.key, self._item)

    @property
    def size(self) -> int:
        """Return the bytes of the item and of the condition."""
        return item_sizes.item_size(self._item) + self._request.size

    def apply(self, item: Item | None) -> Outcome:
        """Return the new item."""
        self._check(item)
        return Outcome(item, self._item)


class _Keyed(_Conditional):
    """A change whose request has only a key and a condition."""

    def __init__(self, table: Table, params: Params) -> None:
        super().__init__(params)
        self._request.check_unused()
        self.key = key_of_request(table, params["Key"])


class Delete(_Keyed):
    """Deletes an item, if there is one."""

    def apply(self, item: Item | None) -> Outcome:
        """Return the outcome: no item."""
        self._check(item)
        return Outcome(item, None)


class Update(_Conditional):
    """Changes an item, or creates it from its key."""

    def __init__(self, table: Table, params: Params) -> None:
        super().__init__(params)
        self._table = table
        self._update = self._request.update()
        self._request.check_unused()
        self._attributes = self._update.attributes(self._request.given) if self._update else set()
        self._refuse_key_change()
        self.key = key_of_request(table, params["Key"])

    def apply(self, item: Item | None) -> Outcome:
        """Return the changed item."""
        self._check(item)
        current = self.key if item is None else item
        changed = self._update.apply(current, self._request.given) if self._update else current
        _check_index_keys(self._table, changed)
        return Outcome(item, changed)

    def _refuse_key_change(self) -> None:
        for name in self._attributes & set(self._table.key.names):
            raise invalid(
                "One or more parameter values were invalid: Cannot update attribute"
                f" {name}. This attribute is part of the key"
            )

    def response(self, outcome: Outcome) -> dict[str, Any]:
        """Return all attributes, or only those that the update wrote to."""
        wanted = self._params.get("ReturnValues", "NONE")
        if not wanted.startswith("UPDATED"):
            return super().response(outcome)
        item = (outcome.new if wanted == "UPDATED_NEW" else outcome.old) or {}
        written = {name: value for name, value in item.items() if name in self._attributes}
        return {"Attributes": written} if written else {}


class ConditionCheck(_Keyed):
    """Changes nothing, but fails the transaction if its condition does not hold."""

    def apply(self, item: Item | None) -> Outcome:
        """Return the outcome: the same item."""
        self._check(item)
        return Outcome(item, item)


CHANGES: Mapping[str, Callable[[Table, Params], Change]] = {
    "Put": Put,
    "Update": Update,
    "Delete": Delete,
    "ConditionCheck": ConditionCheck,
}
"""Changes by their names in TransactWriteItems and BatchWriteItem."""


def _check_keys(table: Table, item: Item) -> None:
    if not table.key.covers(item):
        raise invalid("One of the required keys was not given a value")
    table.key.check(item)
    _check_index_keys(table, item)


def _check_index_keys(table: Table, item: Item) -> None:
    """Refuse an attribute that is part of an index's key and is empty, too long or of another type."""
    for index in table.indexes:
        present = [name for name in index.key.names if name in item]
        for name in present:
            index.key.check_value(name, item[name])
        for name in present:
            actual = next(iter(item[name]))
            if actual != index.key.types[name]:
                raise UnfitItem(
                    "One or more parameter values were invalid: Type mismatch for Index Key"
                    f" {name} Expected: {index.key.types[name]} Actual: {actual} IndexName: {index.name}"
                )
