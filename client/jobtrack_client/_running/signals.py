"""Signals to `jobtrack run`, passed on to its command."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from time import monotonic
from types import FrameType

_PASSED = ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGBREAK")
_FROM_TERMINAL = ("SIGINT", "SIGQUIT", "SIGBREAK")
"""A terminal sends these to all that run in its foreground, so the command has them already."""
_ENDING = ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT")
_ASKING = ("SIGINT", "SIGTERM", "SIGQUIT", "SIGBREAK")
"""These ask a command to stop, which it may do with any exit code. SIGHUP is often handled as a reload instead."""
STOP_SECONDS = 90.0
"""A command that goes on for longer has not taken the signal as the end: the default patience of systemd."""


class Signals:
    """What was passed on to the command, and when."""

    def __init__(self, process: "subprocess.Popen[bytes]", clock: Callable[[], float] = monotonic) -> None:
        self._process = process
        self._clock = clock
        self.received: dict[str, float] = {}

    def __call__(self, number: int, _: FrameType | None) -> None:
        """Pass it on."""
        name = signal.Signals(number).name
        self.received[name] = self._clock()
        if not (name in _FROM_TERMINAL and _in_foreground()):
            with suppress(ProcessLookupError):
                self._process.send_signal(number)

    def that_ended(self, status: int) -> str | None:
        """The signal by which the command ended with this status (negative after a signal), if it was one.

        It was killed by it, whoever sent it, or a shell says so (128 + N), or it had been asked to stop shortly before.
        """
        killed_by = signal_name(-status)
        if status < 0 and killed_by in _ENDING:
            return killed_by
        if status > 128 and (said := signal_name(status - 128)) in _ENDING and said in self.received:
            return said
        now = self._clock()
        asked = {each: at for each, at in self.received.items() if each in _ASKING and now - at <= STOP_SECONDS}
        return max(asked, key=asked.__getitem__, default=None)


def signal_name(number: int) -> str:
    """The signal's name; most of the real-time ones have none."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


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
    if sys.platform == "win32":  # the console sends Ctrl-C to all programs that run in it
        return True
    else:
        with suppress(OSError, ValueError, AttributeError):
            return sys.stdin.isatty() and os.tcgetpgrp(sys.stdin.fileno()) == os.getpgrp()
        return False
