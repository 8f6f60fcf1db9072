"""The client's own threads. They are greenlets if gevent or eventlet has replaced threads."""

import _thread
import os
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from types import BuiltinFunctionType
from typing import Any, TypeVar

from jobtrack_client._runtime import fork_safety

T = TypeVar("T")
_PROCESS = os.getpid()


class Background:
    """A thread that runs one function, at most once. It does not keep the interpreter from ending."""

    def __init__(self, name: str) -> None:
        self.ident: int | None = None
        """The identifier of the thread, once it runs."""
        self.started = False
        """Whether the thread was started in this process."""
        self._name = name
        self._ended = threading.Event()
        self._greenlet: Any = None

    def start(self, run: Callable[[], object]) -> None:
        """Start the thread.

        Raises:
            RuntimeError: no thread can be started: there are too many, or the interpreter is ending.
        """
        fork_safety.renew(self)
        process = os.getpid()
        if threads_are_real():
            threading.Thread(target=self._run, args=(run, process), name=self._name, daemon=True).start()
        else:
            # Not a `Thread`: its `start` waits, so other greenlets would run during a fork. And when it ends in a
            # forked process, `threading` raises a KeyError, because it expects that no thread survives a fork.
            _thread.start_new_thread(self._run, (run, process))
        self.started = True

    def join(self, timeout: float) -> bool:
        """Wait at most `timeout` seconds for the end of the thread. Return whether it has ended, or was not started."""
        return not self.started or self._ended.wait(timeout)

    def forked(self) -> None:
        """End the greenlet when the hub runs next. Unlike threads, greenlets survive a fork."""
        greenlet, self._greenlet = self._greenlet, None
        if greenlet is None:
            return
        if hasattr(greenlet, "spawning_greenlet"):  # gevent's
            greenlet.kill(block=False)
        else:
            sys.modules["eventlet.hubs"].get_hub().schedule_call_global(0, greenlet.throw)

    def _run(self, run: Callable[[], object], process: int) -> None:
        if process != os.getpid():  # a greenlet that had not run yet when the process was forked
            return
        self.ident = threading.get_ident()
        self._greenlet = _own_greenlet()
        try:
            run()
        except BaseException:
            if process == os.getpid():
                raise
            # `forked` has ended this greenlet. Exceptions of its cleanup do not matter.
        finally:
            self._ended.set()
            self._greenlet = None


def patiently(wait: Callable[[], T]) -> T:
    """Return the result of a call that waits. Other greenlets of this thread go on meanwhile.

    If threads are greenlets, a waiting call lets other greenlets run. If a program uses gevent or eventlet without
    monkey patching, the call would block the thread, so it runs in the hub's thread pool. A forked process has no such
    pool, but waits only briefly.
    """
    if not threads_are_real() or os.getpid() != _PROCESS:
        return wait()
    gevent, eventlet = sys.modules.get("gevent.hub"), sys.modules.get("eventlet.hubs")
    with suppress(RuntimeError):  # the interpreter is ending, and no thread can be started
        if gevent is not None and (hub := gevent._get_hub()) is not None:
            result: T = hub.threadpool.apply(wait)
            return result
        if eventlet is not None and hasattr(eventlet._threadlocal, "hub"):
            from eventlet import tpool  # type: ignore[import-untyped]

            result = tpool.execute(wait)
            return result
    return wait()


async def aside(call: Callable[[], T]) -> T:
    """Return the result of a call that waits. It runs in a thread, so that the event loop goes on."""
    # Imported here, because a job without asynchronous code does not need it.
    from asyncio import to_thread

    try:
        return await to_thread(call)
    except RuntimeError:  # the interpreter is ending, or no thread can be started
        return call()


def threads_are_real() -> bool:
    """Return whether threads are threads of the system, and not greenlets of gevent or eventlet."""
    return isinstance(_thread.start_new_thread, BuiltinFunctionType)


def _own_greenlet() -> Any:
    """Return the greenlet that runs this code; None for a thread of the system."""
    return None if threads_are_real() else sys.modules["greenlet"].getcurrent()
