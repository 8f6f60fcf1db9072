"""Document paths within an item: read, set and remove, without changing the item itself."""

from collections.abc import Iterable, Sequence
from itertools import combinations
from typing import Any

from jobtrack_local.engine.sqlite.attribute_values import Item, Value
from jobtrack_local.engine.sqlite.refusals import invalid

Path = tuple[str | int, ...]

_WRONG_PATH = "The document path provided in the update expression is invalid for update"


def lookup(item: Item, path: Path) -> Value | None:
    """Return the value at the path, or None."""
    value: Value | None = {"M": item}
    for part in path:
        value = _child(value, part)
        if value is None:
            return None
    return value


def _child(value: Value | None, part: str | int) -> Value | None:
    kind, held = _content(value)
    child: Value | None = None
    if kind == "M" and isinstance(part, str):
        child = held.get(part)
    elif kind == "L" and isinstance(part, int) and part < len(held):
        child = held[part]
    return child


def _content(value: Value | None) -> tuple[str, Any]:
    """Return a value's type and content."""
    return next(iter(value.items())) if value else ("NULL", None)


def with_value(item: Item, path: Path, new: Value) -> Item:
    """Return the item with the value at the path; its parents must exist."""
    changed: Item = _set({"M": item}, path, new)["M"]
    return changed


def _set(value: Value | None, path: Path, new: Value) -> Value:
    if not path:
        return new
    kind, held = _content(value)
    part, rest = path[0], path[1:]
    if kind == "M" and isinstance(part, str):
        return {"M": {**held, part: _set(_parent(held.get(part), rest), rest, new)}}
    if kind == "L" and isinstance(part, int):
        return {"L": _with_element(held, part, rest, new)}
    raise invalid(_WRONG_PATH)


def _parent(value: Value | None, rest: Path) -> Value | None:
    if value is None and rest:
        raise invalid(_WRONG_PATH)
    return value


def _with_element(held: Sequence[Value], index: int, rest: Path, new: Value) -> list[Value]:
    if index < len(held):
        return [*held[:index], _set(held[index], rest, new), *held[index + 1 :]]
    if rest:
        raise invalid(_WRONG_PATH)
    return [*held, new]


def without(item: Item, path: Path) -> Item:
    """Return the item without the value at the path; if there is no value, nothing changes."""
    if lookup(item, path[:-1]) is None:
        raise invalid(_WRONG_PATH)
    changed: Item = _remove({"M": item}, path)["M"]
    return changed


def _remove(value: Value, path: Path) -> Value:
    ((kind, held),) = value.items()
    part, rest = path[0], path[1:]
    if _child(value, part) is None:
        return value
    if not rest:
        return {kind: _without_member(held, part)}
    return {kind: _replaced(held, part, _remove(held[part], rest))}


def _without_member(held: Any, part: str | int) -> Any:
    if isinstance(part, int):
        return [*held[:part], *held[part + 1 :]]
    return {name: value for name, value in held.items() if name != part}


def _replaced(held: Any, part: str | int, value: Value) -> Any:
    if isinstance(part, int):
        return [*held[:part], value, *held[part + 1 :]]
    return {**held, part: value}


def refuse_overlap(kind: str, paths: Sequence[Path]) -> None:
    """Refuse two paths that are equal, or of which one contains the other."""
    for one, other in combinations(paths, 2):
        if one[: len(other)] == other[: len(one)]:
            raise invalid(
                f"Invalid {kind}: Two document paths overlap with each other;"
                f" must remove or rewrite one of these paths; path one: {path_text(one)}, path two: {path_text(other)}"
            )


def path_text(path: Path) -> str:
    """Return a path as DynamoDB's errors show it."""
    return f"[{', '.join(f'[{part}]' if isinstance(part, int) else part for part in path)}]"


def project(item: Item, paths: Iterable[Path]) -> Item:
    """Return only the values at the paths; elements of lists keep their order."""
    projected: Item = {}
    for path in paths:
        value = lookup(item, path)
        if value is not None:
            projected = _merged(projected, item, path, value)
    return projected


def _merged(projected: Item, item: Item, path: Path, value: Value) -> Item:
    """Return `projected` with the value at its path; the parents of the value keep only named members."""
    for part in reversed(path[1:]):
        value = {"L": [value]} if isinstance(part, int) else {"M": {part: value}}
    name = str(path[0])
    return {**projected, name: _joined(projected[name], value) if name in projected else value}


def _joined(one: Value, other: Value) -> Value:
    ((kind, held),), ((other_kind, added),) = one.items(), other.items()
    if kind != other_kind:
        return other
    if kind == "L":
        return {"L": [*held, *added]}
    if kind != "M":
        return other
    joined = {name: _joined(held[name], value) if name in held else value for name, value in added.items()}
    return {"M": {**held, **joined}}
