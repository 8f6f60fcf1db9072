"""The types of members that requests share, with their limits."""

import re
from collections.abc import Callable
from itertools import chain
from typing import Annotated, Any

import orjson
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, WithJsonSchema
from pydantic.alias_generators import to_camel

from jobtrack import limits, times

_GUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.ASCII)


class Model(BaseModel):
    """A part of a request: camelCase in JSON, no conversion between JSON types, unknown members are ignored."""

    model_config = ConfigDict(strict=True, frozen=True, alias_generator=to_camel, allow_inf_nan=False)


def encoded_size(value: object) -> int:
    """Return the size of a value as JSON, in bytes of UTF-8."""
    return len(orjson.dumps(value))


def depth(value: object) -> int:
    """Return the levels of nesting, 0 for a scalar. There is no recursion, so that any depth can be measured."""
    deepest = -1
    level: list[dict[str, Any] | list[Any]] = [[value]]
    while level:
        deepest += 1
        members = chain.from_iterable(value.values() if isinstance(value, dict) else value for value in level)
        level = [member for member in members if isinstance(member, (dict, list))]
    return deepest


def _at_most(limit: int) -> Callable[[Any], Any]:
    def check(value: Any) -> Any:
        size = len(value.encode()) if isinstance(value, str) else encoded_size(value)
        if size > limit:
            raise ValueError(f"must be at most {limit} bytes in UTF-8, is {size}")
        return value

    return check


def _bytes(limit: int, levels: int | None = None) -> Any:
    """Describe a limit in the OpenAPI document: JSON Schema only has limits of characters."""
    description = f"At most {limit} bytes in UTF-8"
    if levels is None:
        return Field(description=description, json_schema_extra={"maxLength": limit})
    return Field(description=f"{description}, nested at most {levels} levels deep")


def _shallow(value: Any) -> Any:
    if depth(value) > limits.DETAILS_DEPTH:
        raise ValueError(f"must be nested at most {limits.DETAILS_DEPTH} levels deep")
    return value


def guid(value: object) -> str:
    """Return a GUID in lower case.

    Raises:
        ValueError: it is not a GUID.
    """
    if not isinstance(value, str) or not _GUID.fullmatch(value.lower()):
        raise ValueError("must be a GUID")
    return value.lower()


def _exact(value: object) -> object:
    """Check an integer before it becomes a float, since the float may be rounded down to the limit."""
    if type(value) is int and value > limits.NUMBER:
        raise ValueError(f"must be at most {limits.NUMBER}")
    return value


def _moment(value: object) -> object:
    if not isinstance(value, str):
        raise ValueError("must be an RFC 3339 time with an offset, as a string")
    return times.parse(value)


Guid = Annotated[str, BeforeValidator(guid), WithJsonSchema({"type": "string", "format": "uuid"})]
Moment = Annotated[int, BeforeValidator(_moment), WithJsonSchema({"type": "string", "format": "date-time"})]
Name = Annotated[str, StringConstraints(min_length=1, max_length=limits.NAME_CHARACTERS)]
Message = Annotated[str, AfterValidator(_at_most(limits.MESSAGE_BYTES)), _bytes(limits.MESSAGE_BYTES)]
Description = Annotated[str, AfterValidator(_at_most(limits.DESCRIPTION_BYTES)), _bytes(limits.DESCRIPTION_BYTES)]
Details = Annotated[
    dict[str, Any],
    AfterValidator(_shallow),
    AfterValidator(_at_most(limits.DETAILS_BYTES)),
    _bytes(limits.DETAILS_BYTES, limits.DETAILS_DEPTH),
]
StageMetrics = Annotated[
    dict[str, Any],
    AfterValidator(_shallow),
    AfterValidator(_at_most(limits.STAGE_METRICS_BYTES)),
    _bytes(limits.STAGE_METRICS_BYTES, limits.DETAILS_DEPTH),
]
Metadata = Annotated[
    dict[str, Any],
    AfterValidator(_shallow),
    AfterValidator(_at_most(limits.METADATA_BYTES)),
    _bytes(limits.METADATA_BYTES, limits.DETAILS_DEPTH),
]
Count = Annotated[int, Field(ge=0, le=limits.NUMBER)]
Amount = Annotated[float, Field(ge=0, le=limits.NUMBER), BeforeValidator(_exact)]
Positive = Annotated[float, Field(gt=0, le=limits.ALLOCATED)]
Percent = Annotated[float, Field(ge=0, le=100)]
