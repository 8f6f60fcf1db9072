"""Signals that would end this process at once: its open jobs are reported as cancelled first, then the signal ends it.

Only the default action is replaced. A handler of the program's own, or a signal that is ignored as under nohup, stays.
"""

import os
import signal
import sys
from _thread import start_new_thread
from collections.abc import Callable
from contextlib import suppress
from time import monotonic, sleep
from types import FrameType
from typing import Any, Protocol, TypeAlias

_Action: TypeAlias = Callable[[int, FrameType | None], Any] | signal.Handlers

SECONDS = 5.0
"""How long the end may take: `docker stop` kills after 10 s."""
_NAMES = ("SIGTERM", "SIGHUP")
_WITH_LOCKS = frozenset({"jobtrack_client", "logging", "threading", "importlib", "httpx", "httpcore"})
"""Packages whose code may hold a lock that sending needs too."""


class Interruptible(Protocol):
    """A job, as far as it concerns this module."""

    def interrupt(self, reason: str) -> None:
        """Report that the process is about to be ended."""

    def close(self, timeout: float | None = None, *, wait: bool = True) -> None:
        """Send what waits."""


def guard(job: Interruptible) -> None:
    """End the job before a signal ends this process, until it is released."""
    _GUARD.jobs[id(job)] = job
    _GUARD.install()


def release(job: Interruptible) -> None:
    """Forget the job; after the last one, signals act as before."""
    _GUARD.jobs.pop(id(job), None)
    if not _GUARD.jobs:
        _GUARD.restore()


class _Guard:
    def __init__(self) -> None:
        self.jobs: dict[int, Interruptible] = {}

    def install(self) -> None:
        """Handle the signals that act by default, while there are jobs."""
        if self.jobs:
            _replace(signal.SIG_DFL, self.handle)

    def restore(self) -> None:
        """Have signals act by default, where nobody has set another handler since."""
        _replace(self.handle, signal.SIG_DFL)

    def handle(self, number: int, frame: FrameType | None) -> None:
        """Have another thread end the jobs, and this process.

        This one holds still meanwhile, so that the program does no more work; unless it may hold a lock that the other
        needs.
        """
        self.restore()  # a second signal ends the process at once
        # Not by `threading`, whose own locks this thread may hold.
        start_new_thread(self._end, (number,))
        if not _may_hold_a_lock(frame):
            sleep(SECONDS)
            _die(number)

    def forked(self) -> None:
        """Forget the jobs, which are the parent's."""
        self.jobs = {}

    def _end(self, number: int) -> None:
        deadline = monotonic() + SECONDS
        try:
            jobs = list(self.jobs.values())
            for job in jobs:
                job.interrupt(f"received {signal.Signals(number).name}")
                job.close(SECONDS, wait=False)
            for job in jobs:
                job.close(max(0.0, deadline - monotonic()))
        finally:
            _die(number)


def _replace(action: _Action, by: _Action) -> None:
    """Replace the action of those of the signals that have it, and that this system has."""
    known = [signal.Signals[name] for name in _NAMES if hasattr(signal, name)]
    with suppress(ValueError):  # only the main thread may do so
        for number in known:
            if signal.getsignal(number) == action:
                signal.signal(number, by)


def _may_hold_a_lock(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_globals.get("__name__", "").partition(".")[0] in _WITH_LOCKS:
            return True
        frame = frame.f_back
    return False


def _die(number: int) -> None:
    os.kill(os.getpid(), number)
    # Linux ignores the default action for process 1, as in a container without an init.
    os._exit(128 + number)


_GUARD = _Guard()
if sys.platform != "win32":
    # Not only afterwards: a forked process forgets a signal that comes before Python has set itself up there.
    os.register_at_fork(before=_GUARD.restore, after_in_parent=_GUARD.install, after_in_child=_GUARD.forked)
