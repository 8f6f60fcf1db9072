"""Signals to `jobtrack run`, passed on to its command."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType

_PASSED = ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2")
_FROM_TERMINAL = ("SIGINT", "SIGQUIT")
"""A terminal sends these to all that run in its foreground, so the command has them already."""
ENDING = ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT")


class Signals:
    """What was passed on; `asked_to_end` tells whether the command was to end by it."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self._process = process
        self.asked_to_end = False

    def __call__(self, number: int, _: FrameType | None) -> None:
        """Pass it on."""
        name = signal.Signals(number).name
        self.asked_to_end = self.asked_to_end or name in ENDING
        if not (name in _FROM_TERMINAL and _in_foreground()):
            with suppress(ProcessLookupError):
                self._process.send_signal(number)


@contextmanager
def passed_on(process: "subprocess.Popen[bytes]") -> Iterator[Signals]:
    """Pass on every signal that comes while the block runs; those that are ignored, as under nohup, stay so."""
    handler = Signals(process)
    known = (signal.Signals[name] for name in _PASSED if hasattr(signal, name))
    heard = [number for number in known if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, handler) for number in heard}
    try:
        yield handler
    finally:
        for number, original in before.items():
            signal.signal(number, original)


def _in_foreground() -> bool:
    with suppress(OSError, ValueError, AttributeError):
        return sys.stdin.isatty() and os.tcgetpgrp(sys.stdin.fileno()) == os.getpgrp()
    return False
