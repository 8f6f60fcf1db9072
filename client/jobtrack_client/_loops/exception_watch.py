"""Waits until an exception object exists. Python 3.11 creates it when the exception is handled or traced."""

import sys
from collections.abc import Iterator
from types import FrameType, TracebackType

from jobtrack_client._runtime.tasks import Then, when_over


class UnknownError(Exception):
    """Replaces an exception that could not be found."""

    def __init__(self) -> None:
        super().__init__("the loop's body raised an exception")


def when_seen(frame: FrameType, then: Then, otherwise: UnknownError | None) -> None:
    """Call `then` with the exception that leaves a frame at its current instruction, as soon as it is found.

    If no exception is found, call `then` with `otherwise`. If an exception ends the program, do not call `then`.
    """
    trace = sys.gettrace()
    if trace is None:
        _Watch(frame, then, otherwise).begin()
    elif not (isinstance(trace, _Watch) and trace.share(frame, then)):  # a debugger's, or coverage's
        then(otherwise)


class _Watch:
    """Traces the frames around a loop until the exception that leaves it is handled, or found in an outer frame."""

    _INSTRUCTIONS = 10
    """The instructions at the start of an `except`, `finally` or `with`, before Python handles its exception."""

    def __init__(self, frame: FrameType, then: Then, otherwise: UnknownError | None) -> None:
        self._frame = frame
        self._instruction = frame.f_lasti
        self._opcodes = frame.f_trace_opcodes
        self._thens = [then]
        self._otherwise = otherwise
        self._around = list(_outwards(frame))
        # If there may be no exception, the frame either raises it at once or goes on with the next instruction.
        self._left = 1 if otherwise is None else self._INSTRUCTIONS

    def begin(self) -> None:
        for frame in self._around:
            frame.f_trace = self._event
        self._frame.f_trace_opcodes = True
        sys.settrace(self)

    def __call__(self, frame: FrameType, event: str, argument: object) -> None:
        """Trace only the frames around the loop."""

    def share(self, frame: FrameType, then: Then) -> bool:
        """If the same exception leaves another loop of the frame, call this `then` too, and return True."""
        shared = frame is self._frame and frame.f_lasti == self._instruction
        if shared:
            self._thens.append(then)
        return shared

    def _event(self, frame: FrameType, event: str, argument: object) -> object:
        error, traceback = _seen(event, argument)
        if error is not None and self._is_it(traceback):
            self._end(error)
        elif event == "return" and frame.f_back is None:  # no other frame can handle it
            self._stop()
            when_over(self._call, self._otherwise)
        elif self._is_lost(frame):
            self._end(self._otherwise)
        return self._event

    def _is_it(self, traceback: TracebackType | None) -> bool:
        while traceback is not None and not self._is_entry(traceback):
            traceback = traceback.tb_next
        return traceback is not None

    def _is_entry(self, traceback: TracebackType) -> bool:
        return traceback.tb_frame is self._frame and traceback.tb_lasti == self._instruction

    def _is_lost(self, frame: FrameType) -> bool:
        self._left -= 1
        return frame is not self._frame or not self._left

    def _end(self, error: BaseException | None) -> None:
        self._stop()
        self._call(error)

    def _stop(self) -> None:
        sys.settrace(None)
        for frame in self._around:
            frame.f_trace = None
        self._frame.f_trace_opcodes = self._opcodes

    def _call(self, error: BaseException | None) -> None:
        for then in self._thens:
            then(error)


def _seen(event: str, argument: object) -> tuple[BaseException | None, TracebackType | None]:
    if event == "exception" and isinstance(argument, tuple):
        return argument[1], argument[2]
    handled = sys.exc_info()
    return handled[1], handled[2]


def _outwards(frame: FrameType | None) -> Iterator[FrameType]:
    while frame is not None:
        yield frame
        frame = frame.f_back
