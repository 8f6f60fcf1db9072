"""Reporting never raises into the program: what fails within a guarded call is logged, and the program goes on.

Errors of the program itself pass: arguments that the call does not take, and what the documentation says is raised.
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
    """A class whose public methods never raise: one that fails returns the object itself, False or None.

    Methods that return anything else are left as they are, and must not fail.
    """
    for name, method in list(vars(kind).items()):
        if inspect.isfunction(method) and (name in _SPECIAL or not name.startswith("_")):
            returned = method.__annotations__.get("return")
            if returned in (None, bool, Self):
                setattr(kind, name, guard(method, returned))
    return kind


def guard(call: Call, returned: object = None) -> Call:
    """The call, which never raises; one that fails returns its first argument where that is `Self`, False or None."""
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
        except RecursionError:  # there is no stack left to call anything
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
    """Whether the call itself was refused, for its arguments: nothing within it was reached, or that said so."""
    traceback = error.__traceback__
    refused = isinstance(error, TypeError) and traceback is not None and traceback.tb_next is None
    return refused or isinstance(error, Misuse)
