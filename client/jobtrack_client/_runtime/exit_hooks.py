"""What is still to be done at the end of an interpreter, or of a `multiprocessing` process, which runs no `atexit`."""

import atexit
import sys
from collections.abc import Callable


def register(callback: Callable[[], None]) -> None:
    """Have it called at the end of this process."""
    atexit.register(callback)
    process, util = sys.modules.get("multiprocessing.process"), sys.modules.get("multiprocessing.util")
    if process is not None and util is not None and process.parent_process() is not None:
        # Above 0, so that it comes before the worker's queues are joined; the registry holds it by nothing else.
        util.Finalize(None, callback, exitpriority=100)


def unregister(callback: Callable[[], None]) -> None:
    """Have it not called by `atexit` any more; where `multiprocessing` calls it, it must do nothing twice."""
    atexit.unregister(callback)


def uncaught(earlier: BaseException | None = None) -> BaseException | None:
    """The exception that ends this interpreter, unless it is an `earlier` one, as an interactive interpreter survives.

    A process of `multiprocessing` ends while it handles the exception, until Python 3.12. Elsewhere Python keeps the
    last one that it printed, which no `SystemExit` ever is.
    """
    last: BaseException | None = sys.exc_info()[1] or getattr(sys, "last_value", None)
    return None if last is earlier else last
