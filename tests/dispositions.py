"""Child processes of the tests start with default signal dispositions, whatever the tests were started with.

A shell starts background jobs with SIGINT and SIGQUIT ignored, `nohup` with SIGHUP. Ignored signals stay ignored
through fork and exec (POSIX, sigaction), so a child that a test interrupts would not stop. A signal with a handler is
reset to its default by exec: with a handler that does nothing, the tests ignore the signal and no child inherits that.
"""

import signal
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP, signal.SIGTERM)


def hand_down_defaults() -> None:
    """Give the default dispositions to programs that are started from now on, with no signal blocked."""
    for each in SIGNALS:
        if signal.getsignal(each) is signal.SIG_IGN:
            signal.signal(each, _nothing)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)


def _nothing(number: int, frame: FrameType | None) -> None:
    pass
