"""Cancels open jobs before a signal ends this process.

Only the default action is replaced. Signals that the program handles or ignores (as under nohup) are left unchanged.
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
"""How long cancelling may take. `docker stop` kills after 10 seconds."""
_NAMES = ("SIGTERM", "SIGHUP")
_WITH_LOCKS = frozenset({"jobtrack_client", "logging", "threading", "importlib", "httpx", "httpcore"})
"""Packages whose code may hold a lock that sending needs."""


class Interruptible(Protocol):
    """The part of a job that this module uses."""

    def interrupt(self, reason: str) -> None:
        """Report that the process is about to end."""

    def close(self, timeout: float | None = None, *, wait: bool = True) -> None:
        """Send the remaining events."""


def guard(job: Interruptible) -> None:
    """Until `release`, end the job before a signal ends this process."""
    _GUARD.jobs[id(job)] = job
    _GUARD.install()


def release(job: Interruptible) -> None:
    """Remove a job. Without jobs, signals act as before."""
    _GUARD.jobs.pop(id(job), None)
    if not _GUARD.jobs:
        _GUARD.restore()


class _Guard:
    def __init__(self) -> None:
        self.jobs: dict[int, Interruptible] = {}

    def install(self) -> None:
        """Handle the signals that have the default action, if there are jobs."""
        if self.jobs:
            _replace(signal.SIG_DFL, self.handle)

    def restore(self) -> None:
        """Restore the default action, unless the program has set another handler meanwhile."""
        _replace(self.handle, signal.SIG_DFL)

    def handle(self, number: int, frame: FrameType | None) -> None:
        """End the jobs and this process in another thread.

        This thread stops meanwhile, unless it may hold a lock that the other thread needs.
        """
        self.restore()  # a second signal ends the process at once
        # Not with `threading`, because this thread may hold its locks.
        start_new_thread(self._end, (number,))
        if not _may_hold_a_lock(frame):
            sleep(SECONDS)
            _die(number)

    def forked(self) -> None:
        """Remove the jobs, which belong to the parent."""
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
    """Set `by` for each signal of this system whose action is `action`."""
    numbers = [signal.Signals[name] for name in _NAMES if hasattr(signal, name)]
    with suppress(ValueError):  # only the main thread may do so
        for number in numbers:
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
    # Linux ignores the default action for process 1: a container's command, if there is no init.
    os._exit(128 + number)


_GUARD = _Guard()
if sys.platform != "win32":
    # Restored before the fork, because a forked process loses signals that arrive before Python's initialisation.
    os.register_at_fork(before=_GUARD.restore, after_in_parent=_GUARD.install, after_in_child=_GUARD.forked)
