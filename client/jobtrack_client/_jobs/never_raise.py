"""Logs exceptions of reporting calls instead of raising them in the program.

Two kinds of exceptions are raised: those for wrong arguments, and those in a call's documentation.
"""

import inspect
from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from typing import Any, Self, TypeVar, cast

from jobtrack_client._exceptions import JobTrackError, Misuse
from jobtrack_client._runtime.log import warn_seldom

T = TypeVar("T")
Call = TypeVar("Call", bound=Callable[..., Any])
_SPECIAL = ("__enter__", "__exit__", "__aenter__", "__aexit__")


def guarded(kind: type[T]) -> type[T]:
    """Guard a class's public methods. A method that fails returns the object itself, False or None.

    Methods that return anything else are not guarded, and must not fail.
    """
    for name, method in list(vars(kind).items()):
        if inspect.isfunction(method) and (name in _SPECIAL or not name.startswith("_")):
            returned = method.__annotations__.get("return")
            if returned in (None, bool, Self):
                setattr(kind, name, guard(method, returned))
    return kind


def guard(call: Call, returned: object = None) -> Call:
    """Wrap a call so that it never raises. On failure, return its first argument (for `Self`), False or None."""
    instead = False if returned is bool else None
    if inspect.iscoroutinefunction(call):

        @wraps(call)
        async def safely_async(*args: Any, **kwargs: Any) -> Any:
            try:
                return await call(*args, **kwargs)
            except RecursionError:
                pass
            except Exception as error:
                _pass_or_log(error, call)
            return args[0] if returned is Self else instead

        return cast("Call", safely_async)

    @wraps(call)
    def safely(*args: Any, **kwargs: Any) -> Any:
        try:
            return call(*args, **kwargs)
        except RecursionError:  # no stack is left to call anything
            pass
        except Exception as error:
            _pass_or_log(error, call)
        return args[0] if returned is Self else instead

    return cast("Call", safely)


def _pass_or_log(error: Exception, call: Callable[..., Any]) -> None:
    if isinstance(error, JobTrackError) or _is_misuse(error):
        raise error
    with suppress(Exception):
        warn_seldom(f"{call.__qualname__} failed; the program goes on")


def _is_misuse(error: Exception) -> bool:
    """Return whether the arguments of the call were wrong: the call itself, or its checks, raised the error."""
    traceback = error.__traceback__
    refused = isinstance(error, TypeError) and traceback is not None and traceback.tb_next is None
    return refused or isinstance(error, Misuse)
