"""The context in which code runs: the main program, a task of asyncio, or a greenlet."""

import sys
import threading
from collections.abc import Callable
from typing import Any

Then = Callable[[BaseException | None], None]


def is_main_program() -> bool:
    """Return whether this code runs in the main thread, outside any task or greenlet."""
    asyncio, greenlet = sys.modules.get("asyncio"), sys.modules.get("greenlet")
    return (
        _is_main_thread()
        and (asyncio is None or asyncio._get_running_loop() is None)
        and (greenlet is None or greenlet.getcurrent().parent is None)
    )


def when_over(then: Then, otherwise: BaseException | None) -> None:
    """Call `then` with the exception that leaves the outermost frame, or with `otherwise` if it cannot be found.

    In the main program, `then` is not called: the jobs end when the program exits.
    """
    greenlet = _of_gevent()
    if greenlet is not None:
        # In a new thread, because the hub calls this and must not wait.
        greenlet.rawlink(lambda over: threading.Thread(target=then, args=(_raised_in(over) or otherwise,)).start())
    elif not is_main_program():
        then(otherwise)


def current_task() -> Any:
    """Return the task of asyncio that runs this code."""
    asyncio = sys.modules.get("asyncio")
    if asyncio is None or asyncio._get_running_loop() is None:
        return None
    return asyncio.current_task()


def raised_by(task: Any) -> BaseException | None:
    """Return the exception that ended a task, if there is one."""
    if task is None or not task.done():
        return None
    from asyncio import CancelledError

    error: BaseException | None = CancelledError() if task.cancelled() else task.exception()
    return error


def _is_main_thread() -> bool:
    current, main = threading.current_thread(), threading.main_thread()
    # After `eventlet.monkey_patch`, it is an object of another copy of the module.
    return current is main or type(current).__name__ == "_MainThread"


def _of_gevent() -> Any:
    gevent = sys.modules.get("gevent")
    current = None if gevent is None else gevent.getcurrent()
    return current if gevent is not None and isinstance(current, gevent.Greenlet) else None


def _raised_in(greenlet: Any) -> BaseException | None:
    """Return the exception that ended a greenlet. A killed greenlet's value is `GreenletExit`."""
    error: BaseException | None = greenlet.exception
    return greenlet.value if error is None and isinstance(greenlet.value, BaseException) else error
