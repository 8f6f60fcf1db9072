"""What items weigh, as DynamoDB counts them: names and values, numbers by their digits."""

from collections.abc import Mapping
from typing import Any


def size(item: Mapping[str, Any]) -> int:
    """Bytes of an item."""
    return sum(len(name.encode()) + _value(value) for name, value in item.items())


def _value(value: Mapping[str, Any]) -> int:
    ((kind, held),) = value.items()
    match kind:
        case "S":
            return len(held.encode())
        case "B":
            return len(held)
        case "N":
            return len(held.strip("-0.")) // 2 + 2
        case "M":
            return 3 + sum(1 + len(name.encode()) + _value(each) for name, each in held.items())
        case "L":
            return 3 + sum(1 + _value(each) for each in held)
        case _:
            return 1
