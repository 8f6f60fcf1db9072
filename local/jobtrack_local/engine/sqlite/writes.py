"""Put, update, delete and condition check: from the item as it is to the item as it will be."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from jobtrack_local.engine.sqlite.attribute_values import Item, canonical_item
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

    def apply(self, item: Item | None) -> Outcome:
        """Return the outcome; raises Refused where the condition does not hold."""

    def response(self, outcome: Outcome) -> dict[str, Any]:
        """Return the response that the request's ReturnValues asks for."""


class _Conditional:
    def __init__(self, table: Table, params: Params, key: Item) -> None:
        self.key = key
        self._params = params
        self._request = Request(params)
        self._test = self._request.condition("ConditionExpression")

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
    """Stores an item whatever was there."""

    def __init__(self, table: Table, params: Params) -> None:
        self._item = canonical_item(params["Item"])
        _check_keys(table, self._item)
        super().__init__(table, params, key_of(table.key, self._item))
        self._request.check_unused()

    def apply(self, item: Item | None) -> Outcome:
        """Return the new item."""
        self._check(item)
        return Outcome(item, self._item)


class Delete(_Conditional):
    """Deletes an item, if there is one."""

    def __init__(self, table: Table, params: Params) -> None:
        super().__init__(table, params, key_of_request(table, params["Key"]))
        self._request.check_unused()

    def apply(self, item: Item | None) -> Outcome:
        """Return that there is no item any more."""
        self._check(item)
        return Outcome(item, None)


class Update(_Conditional):
    """Changes an item, or creates it from its key."""

    def __init__(self, table: Table, params: Params) -> None:
        super().__init__(table, params, key_of_request(table, params["Key"]))
        self._table = table
        self._update = self._request.update()
        self._request.check_unused()
        self._attributes = self._update.attributes(self._request.given) if self._update else set()

    def apply(self, item: Item | None) -> Outcome:
        """Return the changed item."""
        self._check(item)
        self._refuse_key_change()
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


class ConditionCheck(_Conditional):
    """Changes nothing, but fails the transaction where its condition does not hold."""

    def __init__(self, table: Table, params: Params) -> None:
        super().__init__(table, params, key_of_request(table, params["Key"]))
        self._request.check_unused()

    def apply(self, item: Item | None) -> Outcome:
        """Return the item as it is."""
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
    for name in table.key.names:
        if name not in item:
            raise UnfitItem(f"One or more parameter values were invalid: Missing the key {name} in the item")
    table.key.check(item)
    _check_index_keys(table, item)


def _check_index_keys(table: Table, item: Item) -> None:
    """Refuse an attribute that is part of an index's key and has another type or is empty."""
    for index in table.indexes:
        for name in index.key.names:
            if name in item and next(iter(item[name])) != index.key.types[name]:
                actual = next(iter(item[name]))
                raise UnfitItem(
                    "One or more parameter values were invalid: Type mismatch for Index Key"
                    f" {name} Expected: {index.key.types[name]} Actual: {actual} IndexName: {index.name}"
                )
