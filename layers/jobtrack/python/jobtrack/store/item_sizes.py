"""Sizes of items, as DynamoDB counts them.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any


def item_size(item: Mapping[str, Any]) -> int:
    """Return the bytes of an item: attribute names and values."""
    return sum(len(name.encode()) + _value(value) for name, value in item.items())


def _value(value: Mapping[str, Any]) -> int:
    ((kind, content),) = value.items()
    size = _SIZES.get(kind)
    return 1 if size is None else size(content)


def _text(text: str) -> int:
    return len(text.encode())


def _number(text: str) -> int:
    """Return the bytes of a number: one for each pair of significant digits, one for a minus, and one more."""
    whole, _, fraction = text.lstrip("-").partition(".")
    digits = whole.zfill(len(whole) + len(whole) % 2) + fraction.ljust(len(fraction) + len(fraction) % 2, "0")
    pairs = [digits[place : place + 2] for place in range(0, len(digits), 2)]
    significant = [place for place, pair in enumerate(pairs) if pair != "00"]
    if not significant:
        return 1
    return 1 + significant[-1] - significant[0] + 1 + text.startswith("-")


def _map(members: Mapping[str, Any]) -> int:
    return 3 + sum(1 + len(name.encode()) + _value(member) for name, member in members.items())


def _list(elements: Sequence[Any]) -> int:
    return 3 + sum(1 + _value(element) for element in elements)


_SIZES: Mapping[str, Callable[[Any], int]] = {
    "S": _text,
    "B": len,
    "N": _number,
    "SS": lambda members: sum(map(_text, members)),
    "NS": lambda members: sum(map(_number, members)),
    "BS": lambda members: sum(map(len, members)),
    "M": _map,
    "L": _list,
}
"""The bytes of a value by its type; a value of another type (BOOL, NULL) has one byte."""
