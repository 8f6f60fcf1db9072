"""DynamoDB's expressions: each text is parsed once, and then applied to many items.

Grammar: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.OperatorsAndFunctions.html and
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.UpdateExpressions.html
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from jobtrack_local.engine.sqlite import comparisons
from jobtrack_local.engine.sqlite.attribute_values import Item, Value
from jobtrack_local.engine.sqlite.paths import Path, lookup, path_text
from jobtrack_local.engine.sqlite.refusals import Refused, invalid

_TOKENS = re.compile(r"\s*(?:([#:]?[A-Za-z_0-9]+)|(<>|<=|>=|[=<>()\[\],.+-])|(\S))")
_COMPARATORS: Final = frozenset({"=", "<>", "<", "<=", ">", ">="})
_CACHED = 1024


@dataclass(frozen=True)
class Placeholders:
    """The names (`#n`) and values (`:v`) of a request."""

    names: Mapping[str, str]
    values: Mapping[str, Value]

    def path(self, parts: Path) -> Path:
        """Return the path with the attributes' own names."""
        return tuple(self.names[part] if isinstance(part, str) and part[0] == "#" else part for part in parts)


Condition = Callable[[Item, Placeholders], bool]
Read = Callable[[Item, Placeholders], Value | None]
Check = Callable[[Placeholders], None]


@dataclass(frozen=True)
class Operand:
    """Reads a value: the attribute at `path`, or the literal value of `placeholder`."""

    read: Read
    placeholder: str | None = None
    path: Path | None = None

    def literal(self, given: Placeholders) -> Value | None:
        """Return the literal value, or None if the operand is not a literal."""
        return None if self.placeholder is None else given.values[self.placeholder]


@dataclass(frozen=True)
class Parsed:
    """A condition, the placeholders and paths that it uses, and its checks, which do not depend on the item."""

    holds: Condition
    used: frozenset[str]
    paths: tuple[Path, ...]
    checks: tuple[Check, ...]


@dataclass(frozen=True)
class KeyTest:
    """One test of a key condition: an attribute, an operator, and the placeholders of its values."""

    attribute: str
    operator: str
    values: tuple[str, ...]


class Parser:
    """Reads one expression from left to right; `kind` names the request's parameter in errors."""

    def __init__(self, kind: str, text: str) -> None:
        self._kind = kind
        self._tokens = list(self._split(text))
        self._next = 0
        self.used: set[str] = set()
        self.checks: list[Check] = []
        self.read_paths: list[Path] = []

    def _split(self, text: str) -> Iterable[str]:
        if not text.strip():
            raise invalid(f"Invalid {self._kind}: The expression can not be empty;")
        for match in _TOKENS.finditer(text):
            if match[3]:
                raise self.syntax_error(match[3])
            yield match[1] or match[2]

    def syntax_error(self, token: str) -> Refused:
        """Return the error for a token that is not allowed at its position."""
        return invalid(f'Invalid {self._kind}: Syntax error; token: "{token}"')

    def peek(self) -> str:
        """Return the next token, or the empty text at the end."""
        return self._tokens[self._next] if self._next < len(self._tokens) else ""

    def take(self) -> str:
        """Consume and return the next token."""
        token = self.peek()
        if not token:
            raise self.syntax_error("<EOF>")
        self._next += 1
        return token

    def accept(self, word: str) -> bool:
        """Consume the next token if it is the word, and return whether it was; keywords are not case-sensitive."""
        if self.peek().upper() != word:
            return False
        self._next += 1
        return True

    def expect(self, word: str) -> None:
        """Consume the word, which must be the next token."""
        if not self.accept(word):
            raise self.syntax_error(self.peek() or "<EOF>")

    def end(self) -> None:
        """Refuse tokens after a complete expression."""
        if self.peek():
            raise self.syntax_error(self.peek())

    def path(self) -> Path:
        """Read a document path, for example `a.#b[3]`."""
        parts: list[str | int] = [self._attribute()]
        while self.peek() in (".", "["):
            if self.take() == ".":
                parts.append(self._attribute())
            else:
                parts.append(self._index())
        return tuple(parts)

    def _attribute(self) -> str:
        token = self.take()
        if token[0] == "#":
            self.used.add(token)
        elif not (token[0].isalpha() or token[0] == "_"):
            raise self.syntax_error(token)
        return token

    def _index(self) -> int:
        token = self.take()
        if not token.isdigit():
            raise self.syntax_error(token)
        self.expect("]")
        return int(token)

    def placeholder(self) -> str:
        """Read `:v`."""
        token = self.take()
        if token[0] != ":":
            raise self.syntax_error(token)
        self.used.add(token)
        return token

    def operand(self) -> Operand:
        """Read a value, a path or `size(path)`."""
        if self.peek().startswith(":"):
            name = self.placeholder()
            return Operand(lambda _, given: given.values[name], name)
        if self.peek() == "size" and self._tokens[self._next + 1 : self._next + 2] == ["("]:
            return self._size()
        path = self.path()
        self.read_paths.append(path)
        return Operand(lambda item, given: lookup(item, given.path(path)), path=path)

    def _size(self) -> Operand:
        self.take()
        self.expect("(")
        path = self.path()
        self.read_paths.append(path)
        self.expect(")")
        return Operand(lambda item, given: comparisons.size(lookup(item, given.path(path))))

    def condition(self) -> Condition:
        """Read conditions joined by OR."""
        tests = [self._all()]
        while self.accept("OR"):
            tests.append(self._all())
        return tests[0] if len(tests) == 1 else lambda item, given: any(test(item, given) for test in tests)

    def _all(self) -> Condition:
        tests = [self._negated()]
        while self.accept("AND"):
            tests.append(self._negated())
        return tests[0] if len(tests) == 1 else lambda item, given: all(test(item, given) for test in tests)

    def _negated(self) -> Condition:
        if self.accept("NOT"):
            test = self._negated()
            return lambda item, given: not test(item, given)
        if self.accept("("):
            test = self.condition()
            self.expect(")")
            return test
        if self.peek() in _FUNCTIONS:
            return self._function()
        return self._comparison()

    def _function(self) -> Condition:
        name = self.take()
        holds, check, size = _FUNCTIONS[name]
        self.expect("(")
        operands = [self.operand()]
        while self.accept(","):
            operands.append(self.operand())
        self.expect(")")
        if len(operands) != size:
            raise invalid(f"Invalid {self._kind}: Incorrect number of operands for operator or function")
        self._check(lambda given: check(self._kind, name, [operand.literal(given) for operand in operands]))
        return lambda item, given: holds(*(operand.read(item, given) for operand in operands))

    def _check(self, check: Check) -> None:
        self.checks.append(check)

    def _comparison(self) -> Condition:
        left = self.operand()
        if self.accept("BETWEEN"):
            low = self.operand()
            self.expect("AND")
            high = self.operand()
            self._check(
                lambda given: comparisons.check_between(self._kind, [each.literal(given) for each in (left, low, high)])
            )
            return lambda item, given: comparisons.between(
                left.read(item, given), low.read(item, given), high.read(item, given)
            )
        if self.accept("IN"):
            return self._membership(left)
        operator = self.take()
        if operator not in _COMPARATORS:
            raise self.syntax_error(operator)
        right, compare = self.operand(), comparisons.COMPARE[operator]
        self._check(lambda given: self._check_comparison(operator, left, right, given))
        return lambda item, given: compare(left.read(item, given), right.read(item, given))

    def _check_comparison(self, operator: str, left: Operand, right: Operand, given: Placeholders) -> None:
        comparisons.check_ordered(self._kind, operator, [left.literal(given), right.literal(given)])
        if left.path is not None and right.path is not None and given.path(left.path) == given.path(right.path):
            raise repeated_operand(self._kind, operator, given.path(left.path))

    def _membership(self, left: Operand) -> Condition:
        self.expect("(")
        members = [self.operand()]
        while self.accept(","):
            members.append(self.operand())
        self.expect(")")
        return lambda item, given: any(
            comparisons.equal(left.read(item, given), member.read(item, given)) for member in members
        )

    def key_tests(self) -> list[KeyTest]:
        """Read one or two tests joined by AND."""
        tests = [self._key_test()]
        while self.accept("AND"):
            tests.append(self._key_test())
        return tests

    def _key_test(self) -> KeyTest:
        if self.accept("("):
            test = self._key_test()
            self.expect(")")
            return test
        if self.peek() == "begins_with":
            return self._prefix_test()
        attribute = self._attribute()
        if self.accept("BETWEEN"):
            low = self.placeholder()
            self.expect("AND")
            return KeyTest(attribute, "BETWEEN", (low, self.placeholder()))
        operator = self.take()
        if operator not in _COMPARATORS - {"<>"}:
            raise invalid("Invalid operator used in KeyConditionExpression")
        return KeyTest(attribute, operator, (self.placeholder(),))

    def _prefix_test(self) -> KeyTest:
        self.take()
        self.expect("(")
        attribute = self._attribute()
        self.expect(",")
        value = self.placeholder()
        self.expect(")")
        return KeyTest(attribute, "begins_with", (value,))

    def paths(self) -> list[Path]:
        """Read paths separated by commas."""
        paths = [self.path()]
        while self.accept(","):
            paths.append(self.path())
        return paths


def repeated_operand(kind: str, operator: str, path: Path) -> Refused:
    """Return the error for an operator or function whose operands are the same attribute."""
    return invalid(
        f"Invalid {kind}: The first operand must be distinct from the remaining operands for this operator or function;"
        f" operator: {operator}, first operand: {path_text(path)}"
    )


_FUNCTIONS: Final[Mapping[str, tuple[Callable[..., bool], Callable[..., None], int]]] = {
    "attribute_exists": (lambda value: value is not None, comparisons.check_nothing, 1),
    "attribute_not_exists": (lambda value: value is None, comparisons.check_nothing, 1),
    "attribute_type": (comparisons.has_type, comparisons.check_type, 2),
    "begins_with": (comparisons.begins_with, comparisons.check_prefix, 2),
    "contains": (comparisons.contains, comparisons.check_nothing, 2),
}
"""Each function with the check of its literal operands and their number."""


@lru_cache(_CACHED)
def condition(kind: str, text: str) -> Parsed:
    """Parse a condition or filter."""
    parser = Parser(kind, text)
    holds = parser.condition()
    parser.end()
    return Parsed(holds, frozenset(parser.used), tuple(parser.read_paths), tuple(parser.checks))


@lru_cache(_CACHED)
def key_condition(text: str) -> tuple[tuple[KeyTest, ...], frozenset[str]]:
    """Parse a key condition; returns its tests with the placeholders that they use."""
    parser = Parser("KeyConditionExpression", text)
    tests = parser.key_tests()
    parser.end()
    return tuple(tests), frozenset(parser.used)


@lru_cache(_CACHED)
def projection(text: str) -> tuple[tuple[Path, ...], frozenset[str]]:
    """Parse a projection; returns its paths with the placeholders that they use."""
    parser = Parser("ProjectionExpression", text)
    paths = parser.paths()
    parser.end()
    return tuple(paths), frozenset(parser.used)
