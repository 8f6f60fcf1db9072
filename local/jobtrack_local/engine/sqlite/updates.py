"""DynamoDB's update expressions: SET, REMOVE, ADD and DELETE."""

from collections.abc import Callable, Collection, Sequence
from decimal import Context, Decimal
from functools import lru_cache
from typing import Final

from jobtrack_local.engine.sqlite.attribute_values import Item, Value, canonical, text_of
from jobtrack_local.engine.sqlite.expressions import Check, Operand, Parser, Placeholders, Read, repeated_operand
from jobtrack_local.engine.sqlite.paths import Path, lookup, refuse_overlap, with_value, without
from jobtrack_local.engine.sqlite.refusals import Refused, invalid

_KIND = "UpdateExpression"
_CACHED = 1024
_EXACT = Context(prec=300)
_SETS: Final = frozenset({"SS", "NS", "BS"})

Change = Callable[[Item, Item, Placeholders], Item]
"""From the item before the update, the item changed so far, and the placeholders, to the item changed further."""


class Update:
    """A parsed update: its changes, the paths that they write to, and the placeholders that they use."""

    def __init__(
        self, changes: Sequence[Change], paths: Sequence[Path], used: Collection[str], checks: Sequence[Check]
    ) -> None:
        self.used = frozenset(used)
        self._changes = changes
        self._paths = paths
        self._checks = checks

    def apply(self, item: Item, given: Placeholders) -> Item:
        """Return the item after the update; every operand is read from the item before it."""
        changed = item
        for change in self._changes:
            changed = change(item, changed, given)
        return changed

    def attributes(self, given: Placeholders) -> set[str]:
        """Return the names of the attributes that the update changes; raises Refused for an invalid update."""
        for check in self._checks:
            check(given)
        paths = [given.path(path) for path in self._paths]
        refuse_overlap(_KIND, paths)
        return {str(path[0]) for path in paths}


@lru_cache(_CACHED)
def update(text: str) -> Update:
    """Parse an update expression."""
    return _UpdateParser(text).parse()


class _UpdateParser(Parser):
    def __init__(self, text: str) -> None:
        super().__init__(_KIND, text)
        self._paths: list[Path] = []

    def parse(self) -> Update:
        readers = {"SET": self._assignment, "REMOVE": self._removal, "ADD": self._addition, "DELETE": self._deletion}
        changes: list[Change] = []
        while self.peek():
            section = self.take()
            reader = readers.pop(section.upper(), None)
            if reader is None:
                raise self._section_error(section)
            changes.append(reader())
            while self.accept(","):
                changes.append(reader())
        return Update(changes, self._paths, self.used, self.checks)

    def _section_error(self, section: str) -> Refused:
        if section.upper() not in ("SET", "REMOVE", "ADD", "DELETE"):
            return self.syntax_error(section)
        return invalid(f'Invalid {_KIND}: The "{section}" section can only be used once in an update expression;')

    def _target(self) -> Path:
        path = self.path()
        self._paths.append(path)
        return path

    def _assignment(self) -> Change:
        path = self._target()
        self.expect("=")
        value = self._sum()
        return lambda before, changed, given: with_value(changed, given.path(path), _present(value(before, given)))

    def _sum(self) -> Read:
        left = self._term()
        if self.peek() not in ("+", "-"):
            return left.read
        operator, right = self.take(), self._term()
        self._check_literals(operator, {"N"}, left, right)
        return lambda item, given: _arithmetic(operator, left.read(item, given), right.read(item, given))

    def _check_literals(self, operator: str, kinds: Collection[str], *operands: Operand) -> None:
        def check(given: Placeholders) -> None:
            for operand in operands:
                literal = operand.literal(given)
                if literal is not None and next(iter(literal)) not in kinds:
                    raise _wrong_operand(operator, next(iter(literal)))

        self.checks.append(check)

    def _term(self) -> Operand:
        if self.accept("("):
            value = self._sum()
            self.expect(")")
            return Operand(value)
        if self.peek() == "size":
            raise invalid(f"Invalid {_KIND}: The function is not allowed in an update expression; function: size")
        match self.peek():
            case "if_not_exists":
                return self._default()
            case "list_append":
                return self._list_append()
            case _:
                return self.operand()

    def _default(self) -> Operand:
        self.take()
        self.expect("(")
        path = self.path()
        self.expect(",")
        value = self._default_value(path)
        self.expect(")")
        return Operand(lambda item, given: lookup(item, given.path(path)) or value.read(item, given))

    def _default_value(self, path: Path) -> Operand:
        value = self._term()

        def check(given: Placeholders) -> None:
            if value.path is not None and given.path(value.path) == given.path(path):
                raise repeated_operand(_KIND, "if_not_exists", given.path(path))

        self.checks.append(check)
        return value

    def _list_append(self) -> Operand:
        self.take()
        self.expect("(")
        head = self._term()
        self.expect(",")
        tail = self._term()
        self.expect(")")
        self._check_literals("list_append", {"L"}, head, tail)
        return Operand(
            lambda item, given: _appended(_present(head.read(item, given)), _present(tail.read(item, given)))
        )

    def _removal(self) -> Change:
        path = self._target()
        return lambda _, changed, given: without(changed, given.path(path))

    def _addition(self) -> Change:
        path, name = self._target(), self.placeholder()
        self._check_literals("ADD", {"N", *_SETS}, Operand(_nothing, name))
        return lambda before, changed, given: _added(before, changed, given.path(path), given.values[name])

    def _deletion(self) -> Change:
        path, name = self._target(), self.placeholder()
        self._check_literals("DELETE", _SETS, Operand(_nothing, name))
        return lambda before, changed, given: _reduced(before, changed, given.path(path), given.values[name])


def _nothing(item: Item, given: Placeholders) -> Value | None:
    return None


def _wrong_operand(operator: str, kind: str) -> Refused:
    return invalid(
        f"Invalid {_KIND}: Incorrect operand type for operator or function;"
        f" operator or function: {operator}, operand type: {kind}"
    )


def _present(value: Value | None) -> Value:
    if value is None:
        raise invalid("The provided expression refers to an attribute that does not exist in the item")
    return value


def _arithmetic(operator: str, left: Value | None, right: Value | None) -> Value:
    one, other = _present(left), _present(right)
    if "N" not in one or "N" not in other:
        wrong = next(iter(one if "N" not in one else other))
        raise invalid(f"An operand in the update expression has an incorrect data type; operand type: {wrong}")
    number, second = Decimal(one["N"]), Decimal(other["N"])
    result = _EXACT.add(number, second) if operator == "+" else _EXACT.subtract(number, second)
    return {"N": text_of(result)}


def _appended(one: Value | None, other: Value | None) -> Value:
    head, tail = _present(one), _present(other)
    if "L" not in head or "L" not in tail:
        raise invalid("An operand in the update expression has an incorrect data type")
    return {"L": [*head["L"], *tail["L"]]}


def _added(before: Item, changed: Item, path: Path, value: Value) -> Item:
    """Add a number to a number, or elements to a set; a missing attribute counts as zero or as the empty set."""
    ((kind, added),) = value.items()
    current = lookup(before, path)
    if current is None:
        return with_value(changed, path, value)
    if kind not in current:
        raise invalid("An operand in the update expression has an incorrect data type")
    if kind == "N":
        return with_value(changed, path, _arithmetic("+", current, value))
    return with_value(changed, path, canonical({kind: [*{*current[kind], *added}]}))


def _reduced(before: Item, changed: Item, path: Path, value: Value) -> Item:
    """Delete elements from a set; an empty set is removed."""
    ((kind, removed),) = value.items()
    current = lookup(before, path)
    if current is None:
        return changed
    if kind not in current:
        raise invalid("An operand in the update expression has an incorrect data type")
    rest = [member for member in current[kind] if member not in removed]
    return with_value(changed, path, canonical({kind: rest})) if rest else without(changed, path)
