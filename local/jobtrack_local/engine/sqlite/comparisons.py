"""How DynamoDB compares attribute values; a missing attribute compares as `None` and satisfies nothing but `<>`."""

from collections.abc import Callable, Mapping
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
    """Return what Python can compare of two values of one ordered type, or None."""
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
    if prefix_kind not in ("S", "B"):
        raise invalid(
            "Invalid ConditionExpression: Incorrect operand type for operator or function;"
            f" operator or function: begins_with, operand type: {prefix_kind}"
        )
    return bool(kind == prefix_kind and held.startswith(start))


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
