"""What Lambda tells of an invocation, and how those that the clock starts use its time."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol

THREADS = 8
SPARE_MILLISECONDS = 15_000
"""What a page of timers may take."""


class Context(Protocol):
    """What Lambda tells, as far as it matters to ours."""

    def get_remaining_time_in_millis(self) -> int:
        """How long the invocation may still take."""


class Run(Protocol):
    """Serves what is due, while `goes_on` says so; `spread` calls a function with each of many, as `map` does."""

    def __call__(self, goes_on: Callable[[], bool], spread: Any, /) -> None:
        """Serve it."""


def serve(run: Run, context: Context) -> None:
    """Serve what is due, on several threads, for as long as the invocation may last."""
    with ThreadPoolExecutor(THREADS) as pool:
        run(lambda: context.get_remaining_time_in_millis() > SPARE_MILLISECONDS, pool.map)
