"""What is left of a job that the service refused: an older, newer or stricter one may not take every member."""

import json
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias, TypeVar

from jobtrack_client._exceptions import ApiError, TooLarge, Unprocessable
from jobtrack_client._values.shorten import dumps

AnswerT = TypeVar("AnswerT")
_Part: TypeAlias = tuple[str] | tuple[str, int]
_NEEDED = ("jobId", "jobName", "jobType")
_LARGE = ("metadata", "resources", "blockingConditions", "prerequisites", "stages", "subscriptions")


def send_reduced(send: Callable[[bytes, int], AnswerT], body: bytes) -> tuple[AnswerT, Sequence[str]]:
    """The answer, and what was left out since it was refused; `send` is given the body and how much that is.

    Raises:
        JobTrackError: the job cannot be sent, or what was refused cannot be left out.
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
            # From the back, so that the positions before stay what they are.
            for pointer in sorted(pointers, reverse=True):
                _remove(job, *pointer)
                left_out.append("/".join(map(str, pointer)))
            body = dumps(job)


def _refused(job: dict[str, Any], error: ApiError) -> set[_Part]:
    """Members, and items of lists, that the service named and that a job can be without."""
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
