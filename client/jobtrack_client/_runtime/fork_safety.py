"""What a forked process must replace: locks that threads of its parent hold, and connections that both would use."""

import os
import sys
from collections.abc import Callable, Iterator
from typing import Generic, Protocol, TypeVar
from weakref import ref

from jobtrack_client._runtime.log import LOGGER

T = TypeVar("T")


class Forked(Protocol):
    """Something that a forked process inherits."""

    def forked(self) -> None:
        """Replace what two processes cannot share; called in the forked process before any other code."""


class Forking(Protocol):
    """Something that prepares for a fork of its process."""

    def forking(self) -> None:
        """Prepare; called in the process that forks."""


class _Registry(Generic[T]):
    """Objects that are in use, in the order in which they were added."""

    def __init__(self) -> None:
        self._references: dict[int, ref[T]] = {}

    def add(self, value: T) -> None:
        key = id(value)
        self._references[key] = ref(value, lambda _: self._references.pop(key, None))

    def __iter__(self) -> Iterator[T]:
        # In one go, where a WeakSet raises: another thread may add one meanwhile.
        for reference in list(self._references.values()):
            if (value := reference()) is not None:
                yield value


_FORKED: _Registry[Forked] = _Registry()
_FORKING: _Registry[Forking] = _Registry()


def renew(inherited: Forked) -> None:
    """Call its `forked` in every forked process, for as long as it is used."""
    _FORKED.add(inherited)


def prepare(parent: Forking) -> None:
    """Call its `forking` before each fork, for as long as it is used."""
    _FORKING.add(parent)


def _before() -> None:
    for each in _FORKING:
        _call(each.forking)


def _after() -> None:
    for each in _FORKED:
        _call(each.forked)


def _call(prepare: Callable[[], None]) -> None:
    try:
        prepare()
    except Exception:  # one that fails must not keep the others from it
        LOGGER.warning("a fork was not prepared for", exc_info=True)


if sys.platform != "win32":
    os.register_at_fork(before=_before, after_in_child=_after)
