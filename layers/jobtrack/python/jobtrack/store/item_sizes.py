"""Sizes of items, as DynamoDB counts them.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
"""

from collections.abc import Mapping
from typing import Any


def item_size(item: Mapping[str, Any]) -> int:
    """Return the bytes of an item: attribute names and values."""
    return sum(len(name.encode()) + _value(value) for name, value in item.items())


def _value(value: Mapping[str, Any]) -> int:
    ((kind, content),) = value.items()
    match kind:
        case "S":
            return len(content.encode())
        case "B":
            return len(content)
        case "N":
            return len(content.strip("-0.")) // 2 + 2
        case "M":
            return 3 + sum(1 + len(name.encode()) + _value(member) for name, member in content.items())
        case "L":
            return 3 + sum(1 + _value(element) for element in content)
        case _:
            return 1
