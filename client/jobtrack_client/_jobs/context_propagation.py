"""Passes the current job and stage on to threads, executor calls, greenlets and new processes.

Python itself passes context only to tasks of asyncio; from 3.14 on also to threads, if `thread_inherit_context` is set.
"""

import threading
from collections.abc import Callable
from contextlib import suppress
from contextvars import Context, ContextVar
from functools import cache, wraps
from types import ModuleType
from typing import TYPE_CHECKING, Any

from jobtrack_client._runtime.import_hooks import when_imported

if TYPE_CHECKING:
    from jobtrack_client._jobs.context import Scope

SCOPE: "ContextVar[Scope | None]" = ContextVar("jobtrack_scope", default=None)
"""The innermost scope of this context."""
_STARTED_IN = "_jobtrack_scope"
"""The attribute of a thread with the scope in which it was started."""


def scope() -> "Scope | None":
    """Return this context's innermost scope, or else the scope in which this thread was started."""
    return SCOPE.get() or threading.current_thread().__dict__.get(_STARTED_IN)


@cache
def carry() -> None:
    """Begin to pass scopes on."""
    _wrap(threading.Thread, "start", _start)
    when_imported("concurrent.futures.thread", lambda module: _wrap(module.ThreadPoolExecutor, "submit", _submit))
    when_imported("gevent", lambda module: module.Greenlet.add_spawn_callback(_adopt))
    when_imported("eventlet.greenthread", _carry_to_green_threads)
    when_imported("multiprocessing.process", _hand_down)


def _carry_to_green_threads(module: ModuleType) -> None:
    _wrap(module.GreenThread, "__init__", _make)
    # `spawn_n`, and the methods of `GreenPool` that iterate, make their greenlets with this.
    _wrap(module, "_spawn_n", _make_plain)


def _wrap(kind: Any, name: str, wrapper: Callable[[Callable[..., Any]], Callable[..., Any]]) -> None:
    original = getattr(kind, name)
    setattr(kind, name, wraps(original)(wrapper(original)))


def _start(original: Callable[..., Any]) -> Callable[..., Any]:
    def start(self: threading.Thread, *args: Any, **kwargs: Any) -> Any:
        with suppress(Exception):
            self.__dict__[_STARTED_IN] = scope()
        return original(self, *args, **kwargs)

    return start


def _submit(original: Callable[..., Any]) -> Callable[..., Any]:
    def submit(self: Any, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        return original(self, _carried(fn), *args, **kwargs)

    return submit


def _carried(call: Callable[..., Any]) -> Callable[..., Any]:
    """Bind a call to the current scope, because an executor's thread runs calls of many scopes."""
    here = scope()

    def run(*args: Any, **kwargs: Any) -> Any:
        threading.current_thread().__dict__[_STARTED_IN] = None
        before = SCOPE.set(here)
        try:
            return call(*args, **kwargs)
        finally:
            SCOPE.reset(before)

    return run


def _make(original: Callable[..., Any]) -> Callable[..., Any]:
    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        _adopt(self)

    return __init__


def _make_plain(original: Callable[..., Any]) -> Callable[..., Any]:
    def _spawn_n(*args: Any, **kwargs: Any) -> Any:
        timer, greenlet = original(*args, **kwargs)
        _adopt(greenlet)
        return timer, greenlet

    return _spawn_n


def _adopt(greenlet: Any) -> None:
    """Start a greenlet, which has its own context, in the current scope."""
    if (here := scope()) is not None and greenlet.gr_context is None:
        greenlet.gr_context = Context()
        greenlet.gr_context.run(SCOPE.set, here)


def _hand_down(module: ModuleType) -> None:
    from jobtrack_client._jobs.child_processes import CurrentJob

    module.current_process()._config.setdefault(CurrentJob.KEY, CurrentJob())
