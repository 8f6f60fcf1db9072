"""Retries writes that lost to another writer of the same job; without success, the client gets a 429."""

from collections.abc import Callable
from typing import TypeVar

from jobtrack.errors import JobBusy, Unavailable
from jobtrack.retry import Retry
from jobtrack.store.transactions import Cancelled

_Result = TypeVar("_Result")


def write_with_retries(retry: Retry, write: Callable[[], _Result]) -> _Result:
    """Call `write` until it is not cancelled, and return its result.

    Raises:
        JobBusy: other writers were faster until the time limit (429).
        Unavailable: the table was throttled or unreachable until the time limit (503).
    """
    outage = False
    for _ in retry.attempts():
        try:
            return write()
        except Cancelled as cancelled:
            outage = cancelled.outage
    if outage:
        raise Unavailable
    raise JobBusy("Too many requests change the job or subscription at the same time; retry.", retry_after=1)
