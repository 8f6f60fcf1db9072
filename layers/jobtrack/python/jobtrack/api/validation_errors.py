"""pydantic's validation errors as faults: each points to a value and says what it must be."""

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
    """Return one fault per invalid value, in order. The fault of a union contains the errors of all its variants."""
    messages: dict[str, list[str]] = {}
    for error in errors:
        of_value = messages.setdefault(_pointer(error, body), [])
        if (message := _message(error)) not in of_value:
            of_value.append(message)
    return [Fault(pointer, ", or ".join(of_value)) for pointer, of_value in messages.items()]


def summary(faults: Sequence[Fault], limit: int = 3) -> str:
    """Return the first faults in one line."""
    text = "; ".join(f"{fault.pointer or 'The body'} {fault.detail}" for fault in faults[:limit])
    return f"{text}; and {len(faults) - limit} more." if len(faults) > limit else f"{text}."


def _message(error: Mapping[str, Any]) -> str:
    words = _WORDS.get(error["type"])
    if words is None:
        return str(error["msg"]).removeprefix("Value error, ")
    return words.format(**error.get("ctx", {}))


def _pointer(error: Mapping[str, Any], body: Any) -> str:
    """Return a JSON pointer into the body, or `/query/name` and the like for other parts of the request."""
    source, *parts = error["loc"]
    if source != "body":
        return "/".join(["", *map(str, error["loc"])])
    if error["type"].startswith("union_tag"):
        parts.append(error["ctx"]["discriminator"].strip("'"))
    return "".join(f"/{str(step).replace('~', '~0').replace('/', '~1')}" for step in _steps(parts, body))


def _steps(parts: Sequence[str | int], value: Any) -> Iterator[str | int]:
    """Yield the path to a member, without the names of union variants and validators that pydantic adds."""
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
