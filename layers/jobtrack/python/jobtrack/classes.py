"""Dataclasses that are cheap to make, since a function makes some sixty of them when it starts.

`dataclass` writes, compiles and runs a method each for comparing, hashing, printing and freezing: half of what our
imports cost. Here only `__init__` is written; the rest is shared. That nothing assigns to what is frozen is held by
the type checker, to which it is a frozen dataclass.
"""

from dataclasses import Field, dataclass, field
from typing import Any, TypeVar, dataclass_transform

T = TypeVar("T")


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def frozen(made: type[T]) -> type[T]:
    """A value: equal to what has the same class and members, and a key where they are."""
    return _with(dataclass(slots=True, eq=False, repr=False)(made), __eq__=_equal, __hash__=_hash, __repr__=_shown)


@dataclass_transform(field_specifiers=(field,))
def mutable(made: type[T]) -> type[T]:
    """What changes: equal to what has the same class and members for now, and no key."""
    return _with(dataclass(slots=True, eq=False, repr=False)(made), __eq__=_equal, __hash__=None, __repr__=_shown)


@dataclass_transform(eq_default=False, field_specifiers=(field,))
def service(made: type[T]) -> type[T]:
    """What does something by means of what it was given: equal to itself alone."""
    return dataclass(slots=True, eq=False, repr=False)(made)


def _with(made: type[T], **methods: object) -> type[T]:
    for name, method in methods.items():
        setattr(made, name, method)
    return made


def _fields(one: Any) -> "dict[str, Field[Any]]":
    found: dict[str, Field[Any]] = one.__dataclass_fields__
    return found


def _members(one: Any) -> tuple[Any, ...]:
    return tuple([getattr(one, name) for name in _fields(one)])


def _equal(one: Any, other: Any) -> bool:
    return _members(one) == _members(other) if type(one) is type(other) else NotImplemented


def _hash(one: Any) -> int:
    return hash(_members(one))


def _shown(one: Any) -> str:
    members = [f"{name}={getattr(one, name)!r}" for name, each in _fields(one).items() if each.repr]
    return f"{type(one).__qualname__}({', '.join(members)})"
