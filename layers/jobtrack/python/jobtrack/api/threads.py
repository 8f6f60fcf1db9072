"""Runs code that waits for DynamoDB.

A Lambda function has one request at a time, so it waits in the thread of the event loop. A process that serves several
requests at once runs such code in threads.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from functools import partial
from typing import ParamSpec, TypeVar

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


class _Threads:
    executor: Executor | None = None


def use_threads(count: int) -> None:
    """From now on, run code that waits for DynamoDB in threads, at most `count`."""
    _Threads.executor = ThreadPoolExecutor(count, "api")


async def run_blocking(
    function: Callable[Parameters, Result], *args: Parameters.args, **kwargs: Parameters.kwargs
) -> Result:
    """Call the function and return its result."""
    call = partial(function, *args, **kwargs)
    if _Threads.executor is None:
        return call()
    return await asyncio.get_running_loop().run_in_executor(_Threads.executor, call)
