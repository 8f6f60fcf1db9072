"""Finds out how a loop ended: by an exception in its body, or by `break`, `return` and the like.

Python does not notify an abandoned iterator. While an exception leaves the loop's frame, it is not handled yet, so
`sys.exc_info()` does not return it. But the exception's traceback already has an entry for the frame, and the garbage
collector finds that entry. Python 3.11 creates the exception object later, so that version has to wait for it.
"""

import gc
import sys
from collections.abc import Sequence
from dis import opname
from inspect import CO_GENERATOR
from types import CodeType, FrameType, TracebackType
from typing import Any, NoReturn, TypeGuard

from jobtrack_client._loops.exception_watch import UnknownError, when_seen
from jobtrack_client._runtime.tasks import Then

__all__ = ["UnknownError", "show_exits", "why_left"]


_LATE = sys.version_info < (3, 12)
_COMPREHENSIONS = ("<genexpr>", "<listcomp>", "<setcomp>", "<dictcomp>")


def why_left(frame: FrameType, then: Then, consumer: CodeType | None = None) -> None:
    """Call `then` with the exception that leaves a frame, or with None if there is no exception.

    `consumer` is the code that took the items, if it is known. `then` is called now, or as soon as the exception can be
    found. In Python 3.11, it is not called for an exception that ends the program, except for `SystemExit`.
    """
    frame = _without_closing_generators(frame)
    entries = [
        entry for entry in gc.get_referrers(frame) if isinstance(entry, TracebackType) and entry.tb_frame is frame
    ]
    if (error := _being_raised(entries, frame.f_lasti)) is not None:
        then(error)
    elif any(entry.tb_lasti == frame.f_lasti and not _errors(entry) for entry in entries):
        _when_raised(frame, then)
    elif _instruction(frame).startswith("CALL"):
        _when_called(frame, then)
    else:
        then(UnknownError() if _broke_off(consumer, frame) else None)


def _when_raised(frame: FrameType, then: Then) -> None:
    if frame.f_back is None and (leaving := _exit_under_way()) is not None:
        then(leaving)
    else:
        when_seen(frame, then, otherwise=UnknownError())


def _when_called(frame: FrameType, then: Then) -> None:
    """Handle a call such as `list(map(load, rows))`, which has dropped the iterator and may be about to raise."""
    if _LATE:
        when_seen(frame, then, otherwise=None)
        return
    errors = [
        candidate
        for candidate in gc.get_objects()
        if _is_exception(candidate)
        and candidate.__traceback__ is not None
        and candidate.__traceback__.tb_frame.f_back is frame
    ]
    then(
        next((error for error in errors if len(gc.get_referrers(error)) == 1), None)
    )  # only Python itself refers to it


def _being_raised(entries: Sequence[TracebackType], instruction: int) -> BaseException | None:
    """Return the exception that leaves a frame at this instruction, if it is an object already.

    The program may still hold other exceptions that were raised in this frame. An exception that is raised again, as at
    the end of `finally`, has its entry at another instruction, but the program holds no reference to it.
    """
    errors = _errors(*entries)
    handled = sys.exc_info()[1]
    holders = {id(error): len(gc.get_referrers(error)) - 1 for error in errors}  # not counting this list
    leaving = [
        error
        for error in errors
        if error is not handled and (not holders[id(error)] or _instruction_of(error) == instruction)
    ]
    return min(leaving, key=lambda error: holders[id(error)], default=None)


def _errors(*entries: TracebackType) -> list[BaseException]:
    return [candidate for candidate in gc.get_referrers(*entries) if _is_exception(candidate)]


def _is_exception(candidate: object) -> TypeGuard[BaseException]:
    """Return whether an object is an exception. `isinstance` would read `__class__`, which a proxy may compute."""
    return issubclass(type(candidate), BaseException)


def _instruction_of(error: BaseException) -> int | None:
    return error.__traceback__.tb_lasti if error.__traceback__ is not None else None


def show_exits() -> None:
    """Replace `sys.exit`, so that `why_left` finds its exception. Python 3.11 would create it too late."""
    global _shown
    if _LATE and not _shown:
        _shown = True
        sys.exit = _exit


_shown = False


def _exit(status: Any = None, /) -> NoReturn:
    raise SystemExit(status)


def _exit_under_way() -> SystemExit | None:
    exits = [
        candidate for candidate in gc.get_objects() if _is_exception(candidate) and isinstance(candidate, SystemExit)
    ]
    # Nothing refers to the exception being raised. The program holds the others.
    return next((candidate for candidate in exits if len(gc.get_referrers(candidate)) == 1), None)


def _broke_off(consumer: CodeType | None, frame: FrameType) -> bool:
    """Return whether an exception probably left a comprehension, judging by the frame that drops the iterator.

    A comprehension's variable holds its iterator, and an exception's traceback holds the variable. The iterator is
    dropped together with the exception. A call or a `for` statement drops an iterator that is not needed any more.
    """
    comprehension = consumer is not None and consumer.co_name in _COMPREHENSIONS
    return comprehension and not _instruction(frame).startswith(("CALL", "FOR_ITER"))


def _without_closing_generators(frame: FrameType) -> FrameType:
    """Return the frame, or the frame that drops the surrounding generators."""
    while frame.f_back is not None and frame.f_code.co_flags & CO_GENERATOR and _instruction(frame) == "YIELD_VALUE":
        frame = frame.f_back
    return frame


def _instruction(frame: FrameType) -> str:
    return opname[frame.f_code.co_code[frame.f_lasti]]
