"""What a forked process must make anew: locks that a thread held which it has not, and connections that it shares."""

import os
from typing import Protocol
from weakref import WeakSet


class Forked(Protocol):
    """Something that a forked process inherits."""

    def forked(self) -> None:
        """Make anew what cannot be used by two processes; called in the forked one, before anything else of it runs."""


class Forking(Protocol):
    """Something that has to do with a process that is about to be forked."""

    def forking(self) -> None:
        """Make ready; called in the process that forks."""


_FORKED: WeakSet[Forked] = WeakSet()
_FORKING: WeakSet[Forking] = WeakSet()


def renew(inherited: Forked) -> None:
    """Tell it when it is inherited, for as long as it is used."""
    _FORKED.add(inherited)


def prepare(parent: Forking) -> None:
    """Tell it before each fork, for as long as it is used."""
    _FORKING.add(parent)


def _before() -> None:
    for each in list(_FORKING):
        each.forking()


def _after() -> None:
    for each in list(_FORKED):
        each.forked()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before, after_in_child=_after)
