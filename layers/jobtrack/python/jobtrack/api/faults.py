"""What pydantic found wrong with a request, as faults that name the value and say what it must be."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from jobtrack.errors import Fault

_WORDS = {
    "missing": "is required",
    "model_attributes_type": "must be an object",
    "model_type": "must be an object",
    "dict_type": "must be an object",
    "list_type": "must be a list",
    "string_type": "must be a string",
    "bool_type": "must be true or false",
    "int_type": "must be an integer",
    "int_parsing": "must be an integer",
    "int_from_float": "must be an integer",
    "float_type": "must be a number",
    "literal_error": "must be {expected}",
    "string_too_short": "must be at least {min_length} character long",
    "string_too_long": "must be at most {max_length} characters long",
    "too_short": "must have at least {min_length} item",
    "too_long": "must have at most {max_length} items, has {actual_length}",
    "greater_than": "must be greater than {gt:.16g}",
    "greater_than_equal": "must be at least {ge:.16g}",
    "less_than_equal": "must be at most {le:.16g}",
    "union_tag_not_found": "is required",
    "union_tag_invalid": "must be one of {expected_tags}",
}


def faults(errors: Sequence[Any], body: Any) -> list[Fault]:
    """One fault for each value that is wrong, in the order found; of a union's variants all are told in one."""
    found: dict[str, list[str]] = {}
    for error in errors:
        told = found.setdefault(_pointer(error, body), [])
        if (message := _message(error)) not in told:
            told.append(message)
    return [Fault(pointer, ", or ".join(messages)) for pointer, messages in found.items()]


def summary(found: Sequence[Fault], most: int = 3) -> str:
    """The first few faults in one line."""
    told = "; ".join(f"{fault.pointer or 'The body'} {fault.detail}" for fault in found[:most])
    return f"{told}; and {len(found) - most} more." if len(found) > most else f"{told}."


def _message(error: Mapping[str, Any]) -> str:
    words = _WORDS.get(error["type"])
    if words is None:
        return str(error["msg"]).removeprefix("Value error, ")
    return words.format(**error.get("ctx", {}))


def _pointer(error: Mapping[str, Any], body: Any) -> str:
    """A JSON pointer into the body; `/query/name` and so on for the rest of the request."""
    source, *parts = error["loc"]
    if source != "body":
        return "/".join(["", *map(str, error["loc"])])
    if error["type"].startswith("union_tag"):
        parts.append(error["ctx"]["discriminator"].strip("'"))
    return "".join(f"/{str(step).replace('~', '~0').replace('/', '~1')}" for step in _steps(parts, body))


def _steps(parts: Sequence[str | int], value: Any) -> Iterator[str | int]:
    """The parts that lead to a member: pydantic names variants of unions and validators among them."""
    for index, part in enumerate(parts):
        if isinstance(value, list) and isinstance(part, int) and part < len(value):
            value = value[part]
        elif isinstance(value, dict) and _is_member(parts, index, value):
            value = value.get(part)
        else:
            continue
        yield part


def _is_member(parts: Sequence[str | int], index: int, value: Mapping[str, Any]) -> bool:
    part = parts[index]
    if index == 2 and parts[0] == "events" and part == value.get("type") != "type":
        return False  # the variant of the event
    return part in value or (index == len(parts) - 1 and str(part).isidentifier())
