"""Bars of tqdm as stages. Inner bars only set the current operation of the outermost bar."""

import sys
from collections.abc import Iterator
from contextvars import ContextVar
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary, WeakSet

from jobtrack_client._exceptions import ConfigurationError
from jobtrack_client._jobs.context import current_job
from jobtrack_client._jobs.job import Job
from jobtrack_client._loops.tracked_loop import NewJob, Opened, begin
from jobtrack_client._runtime.log import LOGGER

if TYPE_CHECKING:
    import tqdm

JOB_TYPE = "tqdm"
NAMES = 100
"""At most this many descriptions become stage names, because a job has at most 200 stages. Later bars are named by file
and line."""
_OURS = ("tqdm", "jobtrack_client")
_NAMES: "WeakKeyDictionary[Job, set[str]]" = WeakKeyDictionary()
_OPEN: "WeakSet[Loop]" = WeakSet()
_INNERMOST: "ContextVar[Loop | None]" = ContextVar("jobtrack_loop", default=None)


class Loop:
    """An open bar, and its stage if it is an outermost one."""

    def __init__(self, description: str | None, total: float | None) -> None:
        self._outer = _around(_INNERMOST.get())
        self._name = _distinct(description)
        self._total = total
        self._operation = ""
        self._opened: Opened | None = None
        self.done: float = 0
        """The number of processed records."""
        self.open: bool = True
        self.iterated = False
        """Whether a loop iterates over the bar, and ends it."""
        if self._outer is None:
            self._begin()
        _INNERMOST.set(self)
        _OPEN.add(self)

    def follow(self, bar: "tqdm.tqdm[Any]") -> None:
        """Report the state of the bar. A disabled bar has none."""
        if bar.disable:
            return
        self._reach(bar.n)
        self._set_operation(bar.total, _texts(bar, None if self._outer else self._name))

    def advance(self, records: float) -> None:
        """Add a number of processed records."""
        self._reach(self.done + records)

    def handed_out(self) -> None:
        """Count an item that the loop's body has received."""
        if self._opened is not None:
            self._opened.handed_out += 1

    def end(self, error: BaseException | None) -> None:
        """End the loop like a `with` statement that this error leaves."""
        if self._closed() and self._opened is not None:
            self._opened.end(error)

    def dropped(self, frame: FrameType | None) -> None:
        """End a loop whose frame has dropped the bar before its end."""
        if self._closed() and self._opened is not None:
            self._opened.handed_out = max(self._opened.handed_out, int(self.done))
            self._opened.dropped(_outside(frame))

    @property
    def under_way(self) -> bool:
        """Whether records remain. Many bars are never closed."""
        return self.open and (not self._total or self.done < self._total)

    @property
    def name(self) -> str:
        """The name of the stage."""
        return self._name

    def _closed(self) -> bool:
        """Close the loop. Return whether it was open."""
        was_open, self.open = self.open, False
        _OPEN.discard(self)
        if was_open and _INNERMOST.get() is self:
            _INNERMOST.set(self._outer)
        return was_open

    def _begin(self) -> None:
        try:
            self._opened = begin(self._name, _integer(self._total), NewJob(self._name, JOB_TYPE, None, {}))
        except ConfigurationError as error:  # the loop itself goes on
            LOGGER.warning("the loop %r is not tracked: %s", self._name, error)

    def _reach(self, done: float) -> None:
        self.done = done
        if self._opened is not None and self.open:
            self._opened.stage.reach(max(0, int(done)))

    def _set_operation(self, total: float | None, operation: str) -> None:
        news, self._total, self._operation = (total, operation) != (self._total, self._operation), total, operation
        if self._outer is not None:
            self._outer._set_operation(self._outer._total, operation)
        elif news and self._opened is not None and self.open:
            self._opened.stage.update(operation=operation or None, total=_integer(total))


def _around(loop: Loop | None) -> Loop | None:
    """Return the new loop's outer loop."""
    while loop is not None and not loop.under_way:
        loop = loop._outer
    return loop


def _texts(bar: "tqdm.tqdm[Any]", own_name: str | None) -> str:
    """Return the texts of a bar, and the counts of an inner bar."""
    # A disabled bar has no texts.
    description = str(getattr(bar, "desc", None) or "").strip(": ")
    counts = "" if own_name else f"{int(bar.n)}/{'?' if bar.total is None else int(bar.total)}"
    parts = ("" if description == own_name else description, counts, str(getattr(bar, "postfix", None) or ""))
    return " ".join(part for part in parts if part)


def _integer(total: float | None) -> int | None:
    return None if total is None else int(total)


def _distinct(description: str | None) -> str:
    """Return a name that no other running stage has."""
    name = (description or "").strip(": ")
    names = _NAMES.setdefault(job, set()) if (job := current_job()) else set[str]()
    if not name or (name not in names and len(names) >= NAMES):
        name = _place(sys._getframe())
    names.add(name)
    running = {loop.name for loop in _OPEN}
    return next(candidate for candidate in _numbered(name) if candidate not in running)


def _numbered(name: str) -> Iterator[str]:
    yield name
    number = 2
    while True:
        yield f"{name} ({number})"
        number += 1


def _outside(frame: FrameType | None) -> FrameType | None:
    """Return the nearest frame of the program itself."""
    while frame is not None and frame.f_globals.get("__name__", "").partition(".")[0] in _OURS:
        frame = frame.f_back
    return frame


def _place(frame: FrameType | None) -> str:
    """Return the file and line of the code that made the bar."""
    frame = _outside(frame)
    return "loop" if frame is None else f"{Path(frame.f_code.co_filename).name}:{frame.f_lineno}"
