"""Members of request objects: their snake_case names in Python, their camelCase names in JSON, and their kinds."""

from collections.abc import Mapping
from typing import Any, NamedTuple, NotRequired, Required, TypeAlias, get_args, get_origin

from jobtrack_client._exceptions import Misuse
from jobtrack_client._runtime.log import warn_once
from jobtrack_client._values.json_values import Json, as_text, plain
from jobtrack_client._values.kinds import Kind, as_mapping, shown


class Wire(NamedTuple):
    """The JSON name of a member, if it is not the camelCase form of its Python name."""

    name: str


class Member(NamedTuple):
    """A member of a request object."""

    wire: str
    kind: Kind


Members: TypeAlias = Mapping[str, Member]


def table(shape: Any) -> Members:
    """Return the members of a TypedDict, which are annotated as `Annotated[type, kind]`, with a `Wire` where needed."""
    return {name: _member(name, hint) for name, hint in shape.__annotations__.items()}


def camel(name: str) -> str:
    """Return the camelCase form of a snake_case name."""
    first, *others = name.split("_")
    return first + "".join(word.capitalize() for word in others)


def within_limits(given: Mapping[str, object], members: Members) -> dict[str, Json]:
    """Return the given members, each converted to its kind. Members without content are left out.

    Raises:
        Misuse: a member is unknown. The service would ignore it.
        TypeError: a member has a type that it cannot have.
        ValueError: a member has a value that it cannot have.
    """
    if unknown := [as_text(name) for name in given if name not in members]:
        raise Misuse(f"unknown: {', '.join(unknown)}; allowed: {', '.join(members)}")
    converted: dict[str, Json] = {}
    for name, value in given.items():
        if value is None:
            continue
        result = _convert(name, value, members[name].kind)
        if result is not None:
            converted[as_text(name)] = result
        elif not _is_empty(value):
            warn_once(as_text(name), f"the value {shown(value)} of {name!r} cannot be sent, and is left out")
    return converted


def to_wire(given: Mapping[str, object], members: Members) -> dict[str, Json]:
    """Return the same as `within_limits`, with JSON names.

    Raises:
        Misuse, TypeError, ValueError: as `within_limits`.
    """
    return {members[name].wire: value for name, value in within_limits(given, members).items()}


def require(given: Mapping[str, object], *names: str) -> None:
    """Check that members are given.

    Raises:
        Misuse: one is missing.
    """
    if missing := [name for name in names if name not in given]:
        raise Misuse(f"{', '.join(missing)} must be given")


def record(shape: Any, *, alone: str | None = None, **defaults: object) -> Kind:
    """Return the kind of an object with the members of a TypedDict.

    If `alone` is given, a value that is not a mapping becomes this member.
    """
    members = table(shape)
    required = [name for name in members if name in shape.__required_keys__]
    # The kind of a required member that is None may have a substitute.
    substitutes = {**defaults, **dict.fromkeys(required, "")}

    def kind(value: object) -> Json:
        given = {alone: value} if alone is not None and not isinstance(value, Mapping) else as_mapping(value)
        require(given, *required)
        return to_wire({**substitutes, **{k: v for k, v in given.items() if v is not None}}, members)

    return kind


def _member(name: str, hint: Any) -> Member:
    while get_origin(hint) in (Required, NotRequired):
        (hint,) = get_args(hint)
    kind, *wire = hint.__metadata__
    return Member(wire[0].name if wire else camel(name), kind)


def _convert(name: str, value: object, kind: Kind) -> Json:
    try:
        return kind(value)
    except TypeError as error:
        raise TypeError(f"{name}: {error}") from error
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from error


def _is_empty(value: object) -> bool:
    """Return whether a value is an empty text or mapping, or NaN: in many libraries, an unknown value."""
    result = plain(value)
    return result is None or result == {} or (isinstance(result, str) and not result.strip())
