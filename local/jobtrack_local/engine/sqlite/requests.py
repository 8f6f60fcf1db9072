"""A request's expressions: parsed, resolved, and checked for missing or unused placeholders."""

from collections.abc import Callable, Collection, Mapping
from typing import Any

from jobtrack.store import item_sizes
from jobtrack_local.engine.sqlite import expressions
from jobtrack_local.engine.sqlite.attribute_values import Item, Value, canonical_item
from jobtrack_local.engine.sqlite.expressions import KeyTest, Placeholders
from jobtrack_local.engine.sqlite.paths import Path, project, refuse_overlap
from jobtrack_local.engine.sqlite.refusals import invalid
from jobtrack_local.engine.sqlite.schema import Table
from jobtrack_local.engine.sqlite.updates import Update, update

Test = Callable[[Item], bool]


class Request:
    """The expressions of one request, and their placeholders."""

    def __init__(self, params: Mapping[str, Any]) -> None:
        self._params = params
        self._uses: list[tuple[str, frozenset[str]]] = []
        self._names: Mapping[str, str] = params.get("ExpressionAttributeNames", {})
        self._values = canonical_item(params.get("ExpressionAttributeValues", {}))
        self.given = Placeholders(self._names, self._values)

    def condition(self, kind: str, keys: Collection[str] = ()) -> Test | None:
        """Return the test of a condition or filter that must not read `keys`, or None if the request has none."""
        text = self._params.get(kind)
        if text is None:
            return None
        parsed = expressions.condition(kind, text)
        self._use(kind, parsed.used)
        for check in parsed.checks:
            check(self.given)
        for path in parsed.paths:
            if self.given.path(path)[0] in keys:
                raise invalid(
                    "Filter Expression can only contain non-primary key attributes: Primary key attribute:"
                    f" {self.given.path(path)[0]}"
                )
        return lambda item: parsed.holds(item, self.given)

    @property
    def size(self) -> int:
        """The bytes of the expressions, each with the names and values that it uses."""
        texts = sum(len(self._params[kind].encode()) for kind, _ in self._uses)
        return texts + sum(self._placeholder_size(name) for _, used in self._uses for name in used)

    def _placeholder_size(self, placeholder: str) -> int:
        if placeholder[0] == "#":
            return len(self._names[placeholder].encode())
        return item_sizes.item_size({"": self._values[placeholder]})

    def attributes(self, kind: str) -> set[str]:
        """Return the names of the attributes that a condition or filter reads."""
        text = self._params.get(kind)
        paths = expressions.condition(kind, text).paths if text is not None else ()
        return {str(self.given.path(path)[0]) for path in paths}

    def key_tests(self) -> tuple[KeyTest, ...]:
        """Return the tests of the key condition, with the attributes' own names."""
        tests, used = expressions.key_condition(self._params["KeyConditionExpression"])
        self._use("KeyConditionExpression", used)
        return tuple(KeyTest(self._name(test.attribute), test.operator, test.values) for test in tests)

    def update(self) -> Update | None:
        """Return the update, or None if the request has none."""
        text = self._params.get("UpdateExpression")
        if text is None:
            return None
        parsed = update(text)
        self._use("UpdateExpression", parsed.used)
        return parsed

    def projection(self) -> tuple[Path, ...] | None:
        """Return the paths to project, or None for the whole item."""
        text = self._params.get("ProjectionExpression")
        if text is None:
            return None
        paths, used = expressions.projection(text)
        self._use("ProjectionExpression", used)
        own = tuple(self.given.path(path) for path in paths)
        refuse_overlap("ProjectionExpression", own)
        return own

    def value(self, placeholder: str) -> Value:
        """Return the value of `:v`."""
        return self._values[placeholder]

    def _name(self, attribute: str) -> str:
        return self._names[attribute] if attribute[0] == "#" else attribute

    def _use(self, kind: str, used: frozenset[str]) -> None:
        for placeholder in sorted(used):
            if placeholder not in (self._names if placeholder[0] == "#" else self._values):
                what = "name" if placeholder[0] == "#" else "value"
                raise invalid(
                    f"Invalid {kind}: An expression attribute {what} used in"
                    f" {'the document path' if what == 'name' else 'expression'} is not defined;"
                    f" attribute {what}: {placeholder}"
                )
        self._uses.append((kind, used))

    def check_unused(self) -> None:
        """Refuse names and values that no expression uses."""
        used = {placeholder for _, placeholders in self._uses for placeholder in placeholders}
        for kind, given in (("ExpressionAttributeNames", self._names), ("ExpressionAttributeValues", self._values)):
            unused = sorted(given.keys() - used)
            if unused:
                raise invalid(f"Value provided in {kind} unused in expressions: keys: {{{', '.join(unused)}}}")


def key_of_request(table: Table, key: Mapping[str, Value]) -> Item:
    """Return a key that names exactly the table's key attributes, with values of their types."""
    if set(key) != set(table.key.names):
        raise invalid("The provided key element does not match the schema")
    checked = canonical_item(key)
    table.key.check(checked)
    return checked


def projected(item: Item, paths: tuple[Path, ...] | None) -> Item:
    """Return the item, or only the values at the paths."""
    return item if paths is None else project(item, paths)
