"""The function `track`: `for row in track(rows, "Import"):`."""

import sys
from collections.abc import AsyncIterable, AsyncIterator, Callable, Coroutine, Iterable, Iterator
from functools import partial
from operator import length_hint
from types import TracebackType
from typing import Any, Generic, Self, TypeVar, Unpack, cast

from jobtrack_client._jobs.client import Client, JobArguments
from jobtrack_client._loops.tracked_loop import NewJob, Opened, begin, begin_beside
from jobtrack_client._runtime.threads import aside

T = TypeVar("T")


def track(
    items: Iterable[T] | AsyncIterable[T],
    name: str,
    *,
    total: int | None = None,
    job_type: str | None = None,
    client: Client | None = None,
    **described: Unpack[JobArguments],
) -> "Track[T]":
    """Iterate over items, and report each one as processed when the next one is requested.

    If there is a current job (`current_job`), the loop is a stage of that job. Otherwise it is a new job with one
    stage. `client` (default: `Client()`) makes the job with the other arguments of `Client.job`. By default, `job_type`
    is the name and `total` is `len(items)`.

    The loop completes after the last item, or when `total` items were taken (by `zip` or `islice`). It fails with an
    exception of the iterator or of the loop's body. If `break` or `return` leaves the loop early, its job is cancelled;
    a stage ends with its job. Inside a `with` statement, such a loop completes:

    >>> with track(rows, "Import") as tracked:
    ...     for row in tracked:
    ...         if not load(row):
    ...             break

    Raises:
        ConfigurationError: there is no current job, and a setting of `Client()` is missing. It is raised when the loop
            begins.
    """
    length = _length(items) if total is None else total
    new_job = NewJob(name, job_type or name, client, described)
    return Track(items, partial(begin, name, length, new_job), partial(begin_beside, name, length, new_job))


class Track(Generic[T]):
    """A tracked loop. `track` returns it."""

    def __init__(
        self,
        items: Iterable[T] | AsyncIterable[T],
        open_: Callable[[], Opened],
        open_beside: Callable[[], Coroutine[Any, Any, Opened]],
    ) -> None:
        self._items = items
        self._open = open_
        self._open_beside = open_beside
        self._opened: Opened | None = None

    def __enter__(self) -> Self:
        """Begin the job or stage. It ends with the `with` statement."""
        self._opened = self._open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """End the job or stage."""
        if self._opened is not None:
            self._opened.end(error)
        self._opened = None

    def __iter__(self) -> Iterator[T]:
        """Iterate over the items. Without `with`, this also begins and ends the job or stage."""
        within = self._opened
        opened = within or self._open()
        if (caller := sys._getframe().f_back) is not None:
            opened.consumer = caller.f_code
        del caller  # it refers to this frame
        try:
            for item in cast("Iterable[T]", self._items):
                opened.handed_out += 1
                yield item
                opened.stage.advance()
        except GeneratorExit:
            if within is None:
                opened.dropped(sys._getframe().f_back)
            raise
        except BaseException as error:
            if within is None:
                opened.end(error)
            raise
        if within is None:
            opened.end(None)

    def __aiter__(self) -> AsyncIterator[T]:
        """Do the same as `__iter__` for asynchronous items."""
        return _AsyncWalk(cast("AsyncIterable[T]", self._items), self._open_beside, self._opened)


class _AsyncWalk(Generic[T]):
    """An asynchronous iterator. It is not a generator, because the event loop ends abandoned generators late."""

    def __init__(
        self,
        items: AsyncIterable[T],
        open_: Callable[[], Coroutine[Any, Any, Opened]],
        within: Opened | None,
    ) -> None:
        self._open = open_
        self._within = within
        self._opened: Opened | None = None
        self._items = aiter(items)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T:
        if self._opened is None:
            self._opened = self._within or await self._open()
        else:
            self._opened.stage.advance()
        try:
            item = await anext(self._items)
        except StopAsyncIteration:
            await self._end(None)
            raise
        except BaseException as error:
            await self._end(error)
            raise
        self._opened.handed_out += 1
        return item

    def __del__(self) -> None:
        if self._opened is not None and self._within is None and not sys.is_finalizing():
            self._opened.dropped(sys._getframe().f_back)

    async def _end(self, error: BaseException | None) -> None:
        opened, self._opened = self._opened, None
        if opened is not None and self._within is None:
            await aside(partial(opened.end, error))


def _length(items: object) -> int | None:
    try:
        return length_hint(items, 0) or None
    except Exception:  # `__len__` of the program's own class may raise anything
        return None
