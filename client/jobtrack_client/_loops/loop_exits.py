"""Why a loop was left: by an exception of its body, or by `break`, `return` and the like.

A `for` statement does not say so to the iterator that it drops: while an exception leaves the loop's frame, it is not
yet handled, and `sys.exc_info()` does not have it. But by then the frame has an entry in the exception's traceback,
which the garbage collector knows. Python 3.11 makes the exception an object only later: it is waited for there.
"""

import gc
import sys
from collections.abc import Sequence
from dis import opname
from inspect import CO_GENERATOR
from types import CodeType, FrameType, TracebackType
from typing import Any, NoReturn

from jobtrack_client._loops.exception_watch import UnknownError, when_seen
from jobtrack_client._runtime.tasks import Then

__all__ = ["UnknownError", "show_exits", "why_left"]


_LATE = sys.version_info < (3, 12)
_COMPREHENSIONS = ("<genexpr>", "<listcomp>", "<setcomp>", "<dictcomp>")


def why_left(frame: FrameType, then: Then, consumer: CodeType | None = None) -> None:
    """Call `then` with the exception that leaves the frame, or with None if it drops an iterator for another reason.

    `consumer` is the code that took the items, where it is known. The call comes now, or as soon as the exception can
    be seen. In Python 3.11 it does not come for an exception that ends the program, but for exits.
    """
    frame = _without_closing_generators(frame)
    entries = [each for each in gc.get_referrers(frame) if isinstance(each, TracebackType) and each.tb_frame is frame]
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
    """What was called, such as `list(map(load, rows))`, has dropped the iterator, and may be about to raise."""
    if _LATE:
        when_seen(frame, then, otherwise=None)
        return
    errors = [
        each
        for each in gc.get_objects()
        if isinstance(each, BaseException)
        and each.__traceback__ is not None
        and each.__traceback__.tb_frame.f_back is frame
    ]
    then(next((error for error in errors if len(gc.get_referrers(error)) == 1), None))  # as only Python has it


def _being_raised(entries: Sequence[TracebackType], instruction: int) -> BaseException | None:
    """The exception that leaves a frame at this instruction, where it has become an object.

    The program may have kept others that were raised in this frame. One that was caught and is raised again, as at the
    end of `finally`, has its entry at another instruction, but then nothing of the program's refers to it.
    """
    errors = _errors(*entries)
    handled = sys.exc_info()[1]
    holders = {id(error): len(gc.get_referrers(error)) - 1 for error in errors}  # without this very list
    leaving = [
        error
        for error in errors
        if error is not handled and (not holders[id(error)] or _instruction_of(error) == instruction)
    ]
    return min(leaving, key=lambda error: holders[id(error)], default=None)


def _errors(*entries: TracebackType) -> list[BaseException]:
    return [each for each in gc.get_referrers(*entries) if isinstance(each, BaseException)]


def _instruction_of(error: BaseException) -> int | None:
    return error.__traceback__.tb_lasti if error.__traceback__ is not None else None


def show_exits() -> None:
    """Have `sys.exit` raise an exception that `why_left` finds; in Python 3.11 its own comes into being too late."""
    global _shown
    if _LATE and not _shown:
        _shown = True
        sys.exit = _exit


_shown = False


def _exit(status: Any = None, /) -> NoReturn:
    raise SystemExit(status)


def _exit_under_way() -> SystemExit | None:
    exits = [each for each in gc.get_objects() if isinstance(each, SystemExit)]
    # Nothing of Python's refers to the one that is being raised; others were kept by the program.
    return next((each for each in exits if len(gc.get_referrers(each)) == 1), None)


def _broke_off(consumer: CodeType | None, frame: FrameType) -> bool:
    """Whether a comprehension was left by an exception, as far as can be told by the frame that drops its iterator.

    It keeps the iterator in a variable, and the exception's traceback keeps that. When the exception is gone, so is the
    iterator; one that is dropped by a call or a `for` statement was not needed any more.
    """
    comprehension = consumer is not None and consumer.co_name in _COMPREHENSIONS
    return comprehension and not _instruction(frame).startswith(("CALL", "FOR_ITER"))


def _without_closing_generators(frame: FrameType) -> FrameType:
    """The frame itself, or the one that drops the generators that hold the iterator."""
    while frame.f_back is not None and frame.f_code.co_flags & CO_GENERATOR and _instruction(frame) == "YIELD_VALUE":
        frame = frame.f_back
    return frame


def _instruction(frame: FrameType) -> str:
    return opname[frame.f_code.co_code[frame.f_lasti]]
