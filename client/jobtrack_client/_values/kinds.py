"""Kinds of values: functions that convert any value to one within the limits of the HTTP contract.

Values from a program's data are shortened or converted. Values without content are left out (None). Values that only a
mistake in the program can cause, such as an unknown priority, raise an exception.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from itertools import islice
from typing import TypeAlias
from uuid import UUID

from jobtrack_client._exceptions import ConfigurationError
from jobtrack_client._runtime.log import warn_once
from jobtrack_client._values.json_values import Json, as_text, plain
from jobtrack_client._values.shorten import cut, dumps, short_name, squeeze

Kind: TypeAlias = Callable[[object], Json]

UNNAMED = "unnamed"
"""Replaces a required name that is empty."""
_OTHER_BYTES = 8 * 1024
_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE)


def shown(value: object) -> str:
    """Return a value's text for errors and warnings."""
    result = plain(value)
    return cut(repr(result) if isinstance(result, str) else as_text(result), 100)


def string(value: object) -> str:
    """Return a value as text."""
    return as_text(value)


def name(value: object) -> str | None:
    """Return a name of at most 200 characters; None if it is blank."""
    result = string(value)
    return short_name(result) if result.strip() else None


def needed_name(value: object) -> str:
    """Return a name; UNNAMED if it is blank."""
    return name(value) or UNNAMED


def is_guid(value: str) -> bool:
    """Return whether a text is a GUID, in any case."""
    return _GUID.fullmatch(value) is not None


def guid(value: object, name: str) -> str:
    """Return an id, which may be a `uuid.UUID`, in lower case.

    Raises:
        ConfigurationError: it is not a GUID.
    """
    text = str(value) if isinstance(value, UUID) else value
    if not isinstance(text, str) or not is_guid(text):
        raise ConfigurationError(f"{name} must be a GUID, not {value!r}")
    return text.lower()


def text(limit: int) -> Kind:
    """Return the kind of a text of at most `limit` bytes."""
    return lambda value: cut(string(value), limit)


def exact(longest: int) -> Kind:
    """Return the kind of a text that must not be shortened."""

    def kind(value: object) -> Json:
        result = string(value)
        if not 0 < len(result) <= longest:
            raise ValueError(f"must have 1 to {longest} characters, has {len(result)}")
        return result

    return kind


def number(value: object) -> float | None:
    """Return a value or text as a finite number; None if that is not possible."""
    result = plain(value)
    if isinstance(result, str):
        try:
            result = plain(float(result))
        except ValueError:
            return None
    if isinstance(result, bool):
        return int(result)
    return result if isinstance(result, (int, float)) else None


def whole(lowest: int, highest: int, *, clamp: bool = False) -> Kind:
    """Return the kind of an integer in a range. Others are left out; `clamp` moves them to the nearer end."""

    def kind(value: object) -> Json:
        result = number(value)
        return None if result is None else _within(round(result), lowest, highest, clamp)

    return kind


def real(lowest: float, highest: float, *, above: bool = False, clamp: bool = False) -> Kind:
    """Return the kind of a number in a range. With `above`, the lowest value is excluded."""

    def kind(value: object) -> Json:
        result = number(value)
        if result is None or (above and result <= lowest):
            return None
        return _within(result, lowest, highest, clamp)

    return kind


def choice(*names: str) -> Kind:
    """Return the kind of an enumeration, in any letter case."""
    by_lower_case = {name.lower(): name for name in names}

    def kind(value: object) -> Json:
        result = by_lower_case.get(string(value).lower())
        if result is None:
            raise ValueError(f"must be one of {', '.join(names)}, not {shown(value)}")
        return result

    return kind


def boolean(value: object) -> Json:
    """Return True or False, also for 1 and 0."""
    result = plain(value)
    if result not in (True, False):
        raise TypeError(f"must be True or False, not {shown(value)}")
    return bool(result)


def moment(value: object) -> Json:
    """Return a time in UTC. Its default time zone is this machine's."""
    try:
        result = value if isinstance(value, datetime) else datetime.fromisoformat(string(value))
        return result.astimezone(UTC).isoformat()
    except (ValueError, OverflowError):
        return None


def anything(value: object) -> Json:
    """Return a value that has no limit in the contract."""
    result = plain(value)
    return short_name(result) if isinstance(result, str) else squeeze(result, _OTHER_BYTES)


def json_object(limit: int) -> Kind:
    """Return the kind of a JSON object of at most `limit` bytes. Another value becomes its member `value`."""

    def kind(value: object) -> Json:
        result = plain(value)
        if result is None:
            return None
        return squeeze(result if isinstance(result, dict) else plain({"value": value}), limit)

    return kind


def mapping(limit: int) -> Kind:
    """Return `json_object` for mappings only."""
    shape = json_object(limit)
    return lambda value: shape(as_mapping(value))


def listed(what: str, kind: Kind, most: int, unique: str | None = None) -> Kind:
    """Return the kind of a list of at most `most` items, without repetitions of the member `unique`."""

    def shape(value: object) -> Json:
        if isinstance(value, (str, bytes, Mapping)) or not isinstance(value, Iterable):
            raise TypeError(f"must be a list, not {shown(value)}")
        result: dict[object, Json] = {}
        for index, item in enumerate(islice(value, most * 10)):
            if item is not None:
                item_value = kind(item)
                result.setdefault(_identity(item_value, unique) if unique else index, item_value)
        if len(result) > most:
            warn_once(what, f"only the first {most} {what} are sent")
        return list(result.values())[:most]

    return shape


def _identity(item: Json, unique: str) -> object:
    """Return the item's identity as it is sent, because the conversion to UTF-8 may make two texts equal."""
    return dumps(item[unique]) if isinstance(item, dict) else None


def as_mapping(value: object) -> Mapping[str, object]:
    """Return the value if it is a mapping.

    Raises:
        TypeError: it is not.
    """
    if not isinstance(value, Mapping):
        raise TypeError(f"must be a mapping, not {shown(value)}")
    return value


def _within(value: float, lowest: float, highest: float, clamp: bool) -> Json:
    if clamp:
        return min(max(value, lowest), highest)
    return value if lowest <= value <= highest else None
