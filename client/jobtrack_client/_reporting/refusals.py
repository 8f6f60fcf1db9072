"""Sends a job again without the members that the service refused. Another version may refuse some members."""

import json
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias, TypeVar

from jobtrack_client._exceptions import ApiError, TooLarge, Unprocessable
from jobtrack_client._values.shorten import dumps

ResponseT = TypeVar("ResponseT")
_Part: TypeAlias = tuple[str] | tuple[str, int]
_NEEDED = ("jobId", "jobName", "jobType")
_LARGE = ("metadata", "resources", "blockingConditions", "prerequisites", "stages", "subscriptions")


def send_reduced(send: Callable[[bytes, int], ResponseT], body: bytes) -> tuple[ResponseT, Sequence[str]]:
    """Return the response and the refused members. `send` gets the body and the number of members left out.

    Raises:
        JobTrackError: the job cannot be sent, or a refused member cannot be left out.
    """
    left_out: list[str] = []
    while True:
        try:
            return send(body, len(left_out)), left_out
        except (TooLarge, Unprocessable) as error:
            job = json.loads(body)
            pointers = _refused(job, error)
            if not pointers:
                raise
            # From the end, so that the remaining positions stay valid.
            for pointer in sorted(pointers, reverse=True):
                _remove(job, *pointer)
                left_out.append("/".join(map(str, pointer)))
            body = dumps(job)


def _refused(job: dict[str, Any], error: ApiError) -> set[_Part]:
    """Return the refused members and items of lists that a job does not need."""
    if isinstance(error, TooLarge):
        return {(name,) for name in _LARGE if name in job}
    return {part for fault in error.errors if (part := _part(job, fault.pointer)) is not None}


def _part(job: dict[str, Any], pointer: str) -> _Part | None:
    name, *more = pointer.strip("/").split("/")
    if name in _NEEDED or name not in job:
        return None
    if isinstance(job[name], list) and more and more[0].isdecimal() and int(more[0]) < len(job[name]):
        return name, int(more[0])
    return (name,)


def _remove(job: dict[str, Any], name: str, index: int | None = None) -> None:
    if index is None:
        job.pop(name, None)
    elif name in job:
        del job[name][index]
