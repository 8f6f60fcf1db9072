"""DynamoDB's attribute values: one canonical form, their size, and their order as keys.

Rules: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html
"""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from jobtrack_local.engine.sqlite.refusals import invalid

type_names: Final = frozenset({"S", "N", "B", "BOOL", "NULL", "M", "L", "SS", "NS", "BS"})

Value = Mapping[str, Any]
"""One attribute value, for example `{"S": "text"}`."""
Item = dict[str, Value]

DEPTH = 32
DIGITS = 38
_LARGEST_EXPONENT, _SMALLEST_EXPONENT = 125, -130


def canonical_item(item: Mapping[str, Value]) -> Item:
    """Return the item with every value in canonical form; raises Refused for a value that DynamoDB refuses."""
    return {name: canonical(value) for name, value in item.items()}


def canonical(value: Value, depth: int = 0) -> Value:
    """Return the value in canonical form: numbers without exponent or trailing zeros, sets in order."""
    if len(value) != 1:
        number = "more than one datatypes" if value else "no datatypes"
        raise invalid(f"Supplied AttributeValue has {number} set, must contain exactly one of the supported datatypes")
    ((kind, held),) = value.items()
    match kind:
        case "S" | "BOOL":
            return value
        case "N":
            return {"N": canonical_number(held)}
        case "B":
            return {"B": bytes(held)}
        case "NULL":
            return _null(held)
        case "M" | "L":
            return _nested(kind, held, depth + 1)
        case _:
            return {kind: _canonical_set(kind, held)}


def _null(held: bool) -> Value:
    if not held:
        raise invalid(
            "One or more parameter values were invalid: Null attribute value types must have the value of true"
        )
    return {"NULL": True}


def _nested(kind: str, held: Any, depth: int) -> Value:
    if depth >= DEPTH:
        raise invalid("Nesting Levels have exceeded supported limits")
    if kind == "M":
        return {"M": {name: canonical(value, depth) for name, value in held.items()}}
    return {"L": [canonical(value, depth) for value in held]}


def _canonical_set(kind: str, held: Any) -> list[Any]:
    if not held:
        words = {"SS": "string", "NS": "number", "BS": "binary"}
        raise invalid(f"One or more parameter values were invalid: An {words[kind]} set  may not be empty")
    members = [canonical({kind[0]: member})[kind[0]] for member in held]
    if len(set(members)) != len(members):
        raise invalid("One or more parameter values were invalid: Input collection contains duplicates.")
    return sorted(members, key=Decimal) if kind == "NS" else sorted(members)


def canonical_number(text: str) -> str:
    """Return the number's digits without exponent; at most 38 significant digits, magnitude from 1E-130 to 9.9E+125."""
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise invalid(f"The parameter cannot be converted to a numeric value: {text}") from None
    if not number.is_finite():
        raise invalid(f"The parameter cannot be converted to a numeric value: {text}")
    return text_of(number)


def text_of(number: Decimal) -> str:
    """Return the canonical text of a number; raises Refused beyond DynamoDB's limits."""
    if number == 0:
        return "0"
    _, digits, _ = number.as_tuple()
    significant = "".join(map(str, digits)).lstrip("0").rstrip("0")
    if len(significant) > DIGITS:
        raise invalid("Attempting to store more than 38 significant digits in a Number")
    if number.adjusted() > _LARGEST_EXPONENT:
        raise invalid("Number overflow. Attempting to store a number with magnitude larger than supported range")
    if number.adjusted() < _SMALLEST_EXPONENT:
        raise invalid("Number underflow. Attempting to store a number with magnitude smaller than supported range")
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def key_bytes(value: Value) -> bytes:
    """Return bytes whose order is DynamoDB's order of key values of one type (S, N or B)."""
    ((kind, held),) = value.items()
    if kind == "S":
        return held.encode()  # type: ignore[no-any-return]
    return bytes(held) if kind == "B" else _ordered(Decimal(held))


def _ordered(number: Decimal) -> bytes:
    """Return sign, exponent and digits; for a negative number, their complement and an end byte above every digit."""
    if number == 0:
        return b"\x80"
    _, digits, _ = number.as_tuple()
    significant = bytes(digits).lstrip(b"\0").rstrip(b"\0")
    magnitude = (number.adjusted() + 1000).to_bytes(2, "big") + bytes(digit + 1 for digit in significant)
    if number > 0:
        return b"\x81" + magnitude
    return b"\x7f" + bytes(255 - byte for byte in magnitude) + b"\xff"
