"""Converts any value to JSON, so that reporting never fails because of a value."""

import math
from collections.abc import Mapping, Set
from datetime import datetime
from decimal import Decimal
from itertools import islice
from numbers import Integral, Real
from typing import TypeAlias

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"

DEPTH = 32
"""The levels of nesting that the contract allows. Deeper values become text."""
MEMBERS = 8192
"""The items of a container that are kept. More never fit into the contract's limits."""
_INTEGER = 2**63


def plain(value: object, depth: int = DEPTH) -> Json:
    """Return a value as JSON: numpy values as Python values, NaN as None, and values unknown to JSON as text."""
    if value is None or isinstance(value, (str, bool)):
        return value
    try:
        return _converted(value, depth)
    except Exception:  # a program's own value may raise anything, and a number may be too large
        return as_text(value)


def _converted(value: object, depth: int) -> Json:
    if isinstance(value, (int, Integral)):
        integer = int(value)
        return integer if -_INTEGER <= integer < _INTEGER else as_text(integer)
    if isinstance(value, (float, Real, Decimal)):
        number = float(value)
        return number if math.isfinite(number) else None
    return _container(value, depth)


def _container(value: object, depth: int) -> Json:
    if depth > 0 and isinstance(value, Mapping):
        return {as_text(key): plain(item, depth - 1) for key, item in islice(value.items(), MEMBERS)}
    if depth > 0 and isinstance(value, (list, tuple, Set)):
        return [plain(item, depth - 1) for item in islice(value, MEMBERS)]
    if isinstance(value, datetime):
        return value.isoformat()
    listed = getattr(value, "tolist", None)
    return plain(listed(), depth - 1) if depth > 0 and callable(listed) else as_text(value)


def as_text(value: object) -> str:
    """Return `str(value)`, or the name of its type if that fails."""
    try:
        return str(value)
    except Exception:  # a program's own __str__ may raise anything
        return f"<{type(value).__name__}>"
