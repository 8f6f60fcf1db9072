"""Children of the tests start with default signal dispositions, whatever the tests themselves were started with.

A shell starts its background jobs with SIGINT and SIGQUIT ignored, `nohup` with SIGHUP, and ignored signals stay
ignored through fork and exec (POSIX, sigaction); so a child that a test interrupts would go on. A signal with a handler
is reset to its default by exec: a handler that does nothing keeps the tests themselves going, and no child inherits it.
"""

import signal
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP, signal.SIGTERM)


def hand_down_defaults() -> None:
    """Let programs that are started from now on have the default dispositions, and no signal blocked."""
    for each in SIGNALS:
        if signal.getsignal(each) is signal.SIG_IGN:
            signal.signal(each, _nothing)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)


def _nothing(number: int, frame: FrameType | None) -> None:
    pass
