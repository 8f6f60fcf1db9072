"""One invocation of a Lambda function that works through a backlog: its remaining time, and its threads."""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol, TypeVar

from msgspec import Struct

THREADS = 8
RESERVED_MILLISECONDS = 15_000
"""The time that is reserved to finish the current page of timers."""

_Value = TypeVar("_Value")
_Result = TypeVar("_Result")


class Context(Protocol):
    """The part of Lambda's context object that `run` uses."""

    def get_remaining_time_in_millis(self) -> int:
        """Return the time until Lambda ends the invocation."""


class Invocation(Struct, frozen=True):
    """The resources of an invocation; by default, unlimited time and a single thread.

    Args:
        has_time: whether there is time to begin another piece of work.
        map: calls a function with each of many values, like the built-in `map`.
    """

    has_time: Callable[[], bool] = lambda: True
    map: Callable[[Callable[[Any], Any], Sequence[Any]], Iterable[Any]] = map

    def call_with_each(self, function: Callable[[_Value], _Result], values: Sequence[_Value]) -> list[_Result]:
        """Call the function with each value, on several threads if there are any; return the results in order."""
        return list(self.map(function, values))


def run(work: Callable[[Invocation], None], context: Context) -> None:
    """Do the work on several threads, until the invocation's time is nearly over."""
    with ThreadPoolExecutor(THREADS) as pool:
        work(Invocation(lambda: context.get_remaining_time_in_millis() > RESERVED_MILLISECONDS, pool.map))
