"""Ctrl-C while the command `jobtrack` still imports its modules ends it without a traceback.

No code of a command runs yet that could handle KeyboardInterrupt. Programs that import this package are not changed.
"""

import signal

from jobtrack_client._runtime.safe_path import is_command


def end_at_once() -> None:
    """Let Ctrl-C end the process by the system's own action, unless it is ignored."""
    if is_command() and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)


def raise_again() -> None:
    """Let Ctrl-C raise KeyboardInterrupt, as Python does by default."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:
        signal.signal(signal.SIGINT, signal.default_int_handler)


end_at_once()
