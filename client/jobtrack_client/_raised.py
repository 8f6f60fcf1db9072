"""Why a loop was left: by an exception of its body, or by `break`, `return` and the like.

A `for` statement does not say so to the iterator that it drops: while an exception leaves the loop's frame, it is not
yet handled, and `sys.exc_info()` does not have it. But by then the frame has an entry in the exception's traceback,
which the garbage collector knows.
"""

import gc
import sys
from collections.abc import Callable, Iterator, Sequence
from dis import opname
from inspect import CO_GENERATOR
from types import CodeType, FrameType, TracebackType
from typing import Any, NoReturn

Then = Callable[[BaseException | None], None]


_COMPREHENSIONS = ("<genexpr>", "<listcomp>", "<setcomp>", "<dictcomp>")


class UnknownError(Exception):
    """An exception that could not be seen."""

    def __init__(self) -> None:
        super().__init__("the loop's body raised an exception")


def why_left(frame: FrameType, then: Then, consumer: CodeType | None = None) -> None:
    """Call `then` with the exception that leaves the frame, or with None if it drops an iterator for another reason.

    `consumer` is the code that took the items, where it is known.
    It is called now, or as soon as the exception can be seen: in Python 3.11 when it is handled. There it is not called
    for what leaves the outermost frame and so ends the program, but for the exits that `show_exits` makes visible.
    """
    frame = _without_closing_generators(frame)
    entries = [each for each in gc.get_referrers(frame) if isinstance(each, TracebackType) and each.tb_frame is frame]
    if (error := _being_raised(entries, frame.f_lasti)) is not None:
        then(error)
    elif not any(entry.tb_lasti == frame.f_lasti and not _errors(entry) for entry in entries):
        then(UnknownError() if _broke_off(consumer, frame) else None)
    elif frame.f_back is not None:
        _watch(frame, then)
    elif (leaving := _exit_under_way()) is not None:
        then(leaving)


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
    if sys.version_info < (3, 12) and not _shown:
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


def _is_entry(each: TracebackType, frame: FrameType, instruction: int) -> bool:
    return each.tb_frame is frame and each.tb_lasti == instruction


def _watch(frame: FrameType, then: Then) -> None:
    if sys.gettrace() is None:
        _Watch(frame, then).begin()
    else:  # a debugger's, or coverage's
        then(UnknownError())


class _Watch:
    """Traces the frames around a loop until the exception that leaves it is handled, or seen further out.

    Python 3.11 makes the exception's object no sooner.
    """

    _INSTRUCTIONS = 10
    """Those at the beginning of an `except`, `finally` or `with` before its exception is the one that is handled."""

    def __init__(self, frame: FrameType, then: Then) -> None:
        self._frame = frame
        self._instruction = frame.f_lasti
        self._opcodes = frame.f_trace_opcodes
        self._then = then
        self._around = list(_outwards(frame))
        self._left = self._INSTRUCTIONS

    def begin(self) -> None:
        for frame in self._around:
            frame.f_trace = self._event
        self._frame.f_trace_opcodes = True
        sys.settrace(lambda frame, event, argument: None)

    def _event(self, frame: FrameType, event: str, argument: object) -> object:
        error, traceback = _seen(event, argument)
        if error is not None and self._is_it(traceback):
            self._end(error)
        elif self._is_lost(frame):
            self._end(UnknownError())
        return self._event

    def _is_it(self, traceback: TracebackType | None) -> bool:
        while traceback is not None and not _is_entry(traceback, self._frame, self._instruction):
            traceback = traceback.tb_next
        return traceback is not None

    def _is_lost(self, frame: FrameType) -> bool:
        self._left -= 1
        return frame is not self._frame or not self._left

    def _end(self, error: BaseException) -> None:
        sys.settrace(None)
        for frame in self._around:
            frame.f_trace = None
        self._frame.f_trace_opcodes = self._opcodes
        self._then(error)


def _seen(event: str, argument: object) -> tuple[BaseException | None, TracebackType | None]:
    if event == "exception" and isinstance(argument, tuple):
        return argument[1], argument[2]
    handled = sys.exc_info()
    return handled[1], handled[2]


def _outwards(frame: FrameType | None) -> Iterator[FrameType]:
    while frame is not None:
        yield frame
        frame = frame.f_back
