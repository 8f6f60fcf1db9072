"""How DynamoDB compares attribute values; a missing attribute compares as `None` and satisfies only `<>`."""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from jobtrack_local.engine.sqlite.attribute_values import Value
from jobtrack_local.engine.sqlite.refusals import invalid

_ORDERED = frozenset({"S", "N", "B"})


def equal(left: Value | None, right: Value | None) -> bool:
    """Return whether both exist and are the same value of the same type."""
    return left is not None and right is not None and left == right


def _different(left: Value | None, right: Value | None) -> bool:
    return not equal(left, right)


def _ranks(left: Value | None, right: Value | None) -> tuple[Any, Any] | None:
    """Return two values of the same ordered type in a form that Python can compare, or None."""
    if left is None or right is None:
        return None
    ((kind, one),), ((other_kind, other),) = left.items(), right.items()
    if kind != other_kind or kind not in _ORDERED:
        return None
    match kind:
        case "N":
            return Decimal(one), Decimal(other)
        case "S":
            return one.encode(), other.encode()
        case _:
            return one, other


def _ordered(holds: Callable[[Any, Any], bool]) -> Callable[[Value | None, Value | None], bool]:
    def compare(left: Value | None, right: Value | None) -> bool:
        ranks = _ranks(left, right)
        return ranks is not None and holds(*ranks)

    return compare


COMPARE: Final[Mapping[str, Callable[[Value | None, Value | None], bool]]] = {
    "=": equal,
    "<>": _different,
    "<": _ordered(lambda left, right: left < right),
    "<=": _ordered(lambda left, right: left <= right),
    ">": _ordered(lambda left, right: left > right),
    ">=": _ordered(lambda left, right: left >= right),
}


def between(value: Value | None, low: Value | None, high: Value | None) -> bool:
    """Return whether low <= value <= high."""
    return COMPARE["<="](low, value) and COMPARE["<="](value, high)


def begins_with(value: Value | None, prefix: Value | None) -> bool:
    """Return whether a text or binary begins with the prefix."""
    if value is None or prefix is None:
        return False
    ((kind, held),), ((prefix_kind, start),) = value.items(), prefix.items()
    return bool(kind == prefix_kind and kind in ("S", "B") and held.startswith(start))


def contains(value: Value | None, member: Value | None) -> bool:
    """Return whether a text contains a text, a set contains an element, or a list contains a value."""
    if value is None or member is None:
        return False
    ((kind, held),), ((member_kind, sought),) = value.items(), member.items()
    if kind == "L":
        return member in held
    if kind in ("SS", "NS", "BS"):
        return bool(member_kind == kind[0] and sought in held)
    return bool(kind in ("S", "B") and kind == member_kind and sought in held)


def has_type(value: Value | None, kind: Value | None) -> bool:
    """Return whether the value has the type, which is given as text."""
    return value is not None and kind is not None and next(iter(value)) == kind.get("S")


def size(value: Value | None) -> Value | None:
    """Return the number of bytes of a text or binary, or of members of a collection."""
    if value is None:
        return None
    ((kind, held),) = value.items()
    if kind in ("N", "BOOL", "NULL"):
        return None
    return {"N": str(len(held.encode() if kind == "S" else held))}


Literals = Sequence[Value | None]
"""The operands of an operator or function; None for those that are read from the item."""

_TYPES = frozenset({"S", "N", "B", "BOOL", "NULL", "M", "L", "SS", "NS", "BS"})


def check_nothing(kind: str, name: str, literals: Literals) -> None:
    """Accept every operand."""


def check_ordered(kind: str, operator: str, literals: Literals) -> None:
    """Refuse a literal that has no order, unless it is compared for equality only."""
    if operator in ("=", "<>"):
        return
    for literal in literals:
        _check_kind(kind, operator, literal, _ORDERED)


def check_prefix(kind: str, name: str, literals: Literals) -> None:
    """Refuse a literal that is neither text nor binary."""
    for literal in literals:
        _check_kind(kind, name, literal, frozenset({"S", "B"}))


def check_type(kind: str, name: str, literals: Literals) -> None:
    """Refuse a literal that is not the name of a type."""
    sought = literals[1]
    _check_kind(kind, name, sought, frozenset({"S"}))
    if sought is not None and sought["S"] not in _TYPES:
        raise invalid(
            f"Invalid {kind}: Invalid attribute type name found; type: {sought['S']}, valid types: {sorted(_TYPES)}"
        )


def check_between(kind: str, literals: Literals) -> None:
    """Refuse literal bounds of a type without an order, of different types, or in the wrong order."""
    for literal in literals:
        _check_kind(kind, "BETWEEN", literal, _ORDERED)
    _, low, high = literals
    if low is None or high is None:
        return
    if next(iter(low)) != next(iter(high)):
        raise invalid(f"Invalid {kind}: The BETWEEN operator requires same data type for lower and upper bounds")
    if COMPARE[">"](low, high):
        raise invalid(
            f"Invalid {kind}: The BETWEEN operator requires upper bound to be greater than or equal to lower bound"
        )


def _check_kind(kind: str, operator: str, literal: Value | None, kinds: frozenset[str]) -> None:
    if literal is not None and next(iter(literal)) not in kinds:
        raise invalid(
            f"Invalid {kind}: Incorrect operand type for operator or function;"
            f" operator or function: {operator}, operand type: {next(iter(literal))}"
        )
