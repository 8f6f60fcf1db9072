"""The kinds of value that the service takes: each makes of any value one within the contract's limits.

What comes from a program's data is shortened or converted; what says nothing is left out (None). What only a mistake in
the program can be, such as an unknown priority, raises.
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
"""Stands for a name that is needed, where the program's data has none."""
_OTHER_BYTES = 8 * 1024
_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE)


def shown(value: object) -> str:
    """The value as errors and warnings show it."""
    found = plain(value)
    return cut(repr(found) if isinstance(found, str) else as_text(found), 100)


def string(value: object) -> str:
    """The value as text."""
    return as_text(value)


def name(value: object) -> str | None:
    """A name of at most 200 characters, which are not all white space."""
    found = string(value)
    return short_name(found) if found.strip() else None


def needed_name(value: object) -> str:
    """The same, of a member that must be there."""
    return name(value) or UNNAMED


def is_guid(value: str) -> bool:
    """Return whether it is a GUID, in any letter case."""
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
    """A text of at most so many bytes."""
    return lambda value: cut(string(value), limit)


def exact(longest: int) -> Kind:
    """A text that means something else when shortened."""

    def kind(value: object) -> Json:
        found = string(value)
        if not 0 < len(found) <= longest:
            raise ValueError(f"must have 1 to {longest} characters, has {len(found)}")
        return found

    return kind


def number(value: object) -> float | None:
    """The number that the value is or, as a text, names; None where it is none or not finite."""
    found = plain(value)
    if isinstance(found, str):
        try:
            found = plain(float(found))
        except ValueError:
            return None
    if isinstance(found, bool):
        return int(found)
    return found if isinstance(found, (int, float)) else None


def whole(lowest: int, highest: int, *, clamp: bool = False) -> Kind:
    """An integer in this range; others are left out, or with `clamp` moved to the nearer end."""

    def kind(value: object) -> Json:
        found = number(value)
        return None if found is None else _within(round(found), lowest, highest, clamp)

    return kind


def real(lowest: float, highest: float, *, above: bool = False, clamp: bool = False) -> Kind:
    """A number in this range, with `above` without its lowest."""

    def kind(value: object) -> Json:
        found = number(value)
        if found is None or (above and found <= lowest):
            return None
        return _within(found, lowest, highest, clamp)

    return kind


def choice(*known: str) -> Kind:
    """One of these names, in any letter case."""
    by_lower_case = {each.lower(): each for each in known}

    def kind(value: object) -> Json:
        found = by_lower_case.get(string(value).lower())
        if found is None:
            raise ValueError(f"must be one of {', '.join(known)}, not {shown(value)}")
        return found

    return kind


def boolean(value: object) -> Json:
    """True or false; 1 and 0 too."""
    found = plain(value)
    if found not in (True, False):
        raise TypeError(f"must be True or False, not {shown(value)}")
    return bool(found)


def moment(value: object) -> Json:
    """A time with its offset; one without is of this machine's time zone."""
    try:
        found = value if isinstance(value, datetime) else datetime.fromisoformat(string(value))
        return found.astimezone(UTC).isoformat()
    except (ValueError, OverflowError):
        return None


def anything(value: object) -> Json:
    """A member of which the contract limits nothing here."""
    found = plain(value)
    return short_name(found) if isinstance(found, str) else squeeze(found, _OTHER_BYTES)


def json_object(limit: int) -> Kind:
    """A JSON object of at most so many bytes; what is no object becomes the `value` of one."""

    def kind(value: object) -> Json:
        found = plain(value)
        if found is None:
            return None
        return squeeze(found if isinstance(found, dict) else plain({"value": value}), limit)

    return kind


def mapping(limit: int) -> Kind:
    """The same of a mapping: anything else is a mistake."""
    shape = json_object(limit)
    return lambda value: shape(as_mapping(value))


def listed(what: str, kind: Kind, most: int, unique: str | None = None) -> Kind:
    """A list of at most so many of a kind, no two of which have the same member `unique`."""

    def shape(value: object) -> Json:
        if isinstance(value, (str, bytes, Mapping)) or not isinstance(value, Iterable):
            raise TypeError(f"must be a list, not {shown(value)}")
        found: dict[object, Json] = {}
        for index, item in enumerate(islice(value, most * 10)):
            if item is not None:
                made = kind(item)
                found.setdefault(_identity(made, unique) if unique else index, made)
        if len(found) > most:
            warn_once(what, f"only the first {most} {what} are sent")
        return list(found.values())[:most]

    return shape


def _identity(item: Json, unique: str) -> object:
    """As it arrives: what UTF-8 cannot hold may make two texts equal."""
    return dumps(item[unique]) if isinstance(item, dict) else None


def as_mapping(value: object) -> Mapping[str, object]:
    """The value, if it is a mapping.

    Raises:
        TypeError: it is none.
    """
    if not isinstance(value, Mapping):
        raise TypeError(f"must be a mapping, not {shown(value)}")
    return value


def _within(value: float, lowest: float, highest: float, clamp: bool) -> Json:
    if clamp:
        return min(max(value, lowest), highest)
    return value if lowest <= value <= highest else None
