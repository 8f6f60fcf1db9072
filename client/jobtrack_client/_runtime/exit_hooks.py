"""Functions that run when the interpreter ends, also in `multiprocessing` processes, which skip `atexit`."""

import atexit
import sys
from collections.abc import Callable


def register(callback: Callable[[], None]) -> None:
    """Call a function at the end of this process."""
    atexit.register(callback)
    process, util = sys.modules.get("multiprocessing.process"), sys.modules.get("multiprocessing.util")
    if process is not None and util is not None and process.parent_process() is not None:
        # A priority above 0 runs before the worker's queues are joined.
        util.Finalize(None, callback, exitpriority=100)


def unregister(callback: Callable[[], None]) -> None:
    """Do not call the function at exit. `multiprocessing` still does, so a second call must do nothing."""
    atexit.unregister(callback)


def uncaught(earlier: BaseException | None = None) -> BaseException | None:
    """Return the exception that ends this interpreter.

    Python keeps the last exception that it printed, which is never a `SystemExit`. Interactive Python survives
    exceptions, so an `earlier` one does not count. Until Python 3.12, a process of `multiprocessing` ends while it
    handles the exception.
    """
    last: BaseException | None = sys.exc_info()[1] or getattr(sys, "last_value", None)
    return None if last is earlier else last
