"""Passes signals from `jobtrack run` on to its command."""

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
"""A terminal sends these to all processes in its foreground, so the command receives them anyway."""
_ENDING = ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT")
_ASKING = ("SIGINT", "SIGTERM", "SIGQUIT", "SIGBREAK")
"""These ask a command to stop, with any exit code. SIGHUP is absent, because it often means a reload."""
STOP_SECONDS = 90.0
"""If a command runs for longer, the signal did not end it. This is the default timeout of systemd."""


class Signals:
    """The signals that were passed on to the command, with their times."""

    def __init__(self, process: "subprocess.Popen[bytes]", clock: Callable[[], float] = monotonic) -> None:
        self._process = process
        self._clock = clock
        self.received: dict[str, float] = {}

    def __call__(self, number: int, _: FrameType | None) -> None:
        """Pass a signal on."""
        name = signal.Signals(number).name
        self.received[name] = self._clock()
        if not (name in _FROM_TERMINAL and _in_foreground()):
            with suppress(ProcessLookupError):
                self._process.send_signal(number)

    def that_ended(self, status: int) -> str | None:
        """Return the signal that ended a command with this status (negative after a signal), or None.

        The signal killed the command, a shell reported it (128 + N), or it asked the command to stop shortly before.
        """
        killed_by = signal_name(-status)
        if status < 0 and killed_by in _ENDING:
            return killed_by
        if status > 128 and (said := signal_name(status - 128)) in _ENDING and said in self.received:
            return said
        now = self._clock()
        requests = {name: at for name, at in self.received.items() if name in _ASKING and now - at <= STOP_SECONDS}
        return max(requests, key=requests.__getitem__, default=None)


def signal_name(number: int) -> str:
    """Return the name of a signal. Most real-time signals have none."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


@contextmanager
def passed_on(process: "subprocess.Popen[bytes]") -> Iterator[Signals]:
    """Pass on every signal in this block. Ignored signals, as under nohup, stay ignored."""
    handler = Signals(process)
    numbers = (signal.Signals[name] for name in _PASSED if hasattr(signal, name))
    heard = [number for number in numbers if signal.getsignal(number) is not signal.SIG_IGN]
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
