"""Replaces, in a forked process, the locks that the parent may hold and the connections that both would use."""

import os
import sys
from collections.abc import Callable, Iterator
from typing import Generic, Protocol, TypeVar
from weakref import ref

from jobtrack_client._runtime.log import LOGGER

T = TypeVar("T")


class Forked(Protocol):
    """An object that a forked process inherits."""

    def forked(self) -> None:
        """Replace state that is not shareable. This is called in the forked process before any other code."""


class Forking(Protocol):
    """An object that prepares for a fork of its process."""

    def forking(self) -> None:
        """Prepare for a fork. This is called in the process that forks."""


class _Registry(Generic[T]):
    """Objects that still exist, in the order in which they were added."""

    def __init__(self) -> None:
        self._references: dict[int, ref[T]] = {}

    def add(self, value: T) -> None:
        key = id(value)
        self._references[key] = ref(value, lambda _: self._references.pop(key, None))

    def __iter__(self) -> Iterator[T]:
        # A copy, because another thread may add an object meanwhile. A WeakSet would raise then.
        for reference in list(self._references.values()):
            if (value := reference()) is not None:
                yield value


_FORKED: _Registry[Forked] = _Registry()
_FORKING: _Registry[Forking] = _Registry()


def renew(inherited: Forked) -> None:
    """Call `forked` of an object in every forked process, as long as the object exists."""
    _FORKED.add(inherited)


def prepare(parent: Forking) -> None:
    """Call `forking` of an object before each fork, as long as the object exists."""
    _FORKING.add(parent)


def _before() -> None:
    for parent in _FORKING:
        _call(parent.forking)


def _after() -> None:
    for inherited in _FORKED:
        _call(inherited.forked)


def _call(prepare: Callable[[], None]) -> None:
    try:
        prepare()
    except Exception:  # the other objects must be prepared nevertheless
        LOGGER.warning("a fork could not be prepared", exc_info=True)


if sys.platform != "win32":
    os.register_at_fork(before=_before, after_in_child=_after)
