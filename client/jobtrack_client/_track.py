"""Loops that track themselves: `for row in track(rows, "Import"):`."""

from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator, Mapping
from contextlib import AsyncExitStack, ExitStack
from operator import length_hint
from types import TracebackType
from typing import Any, Generic, Self, TypeVar, cast

from jobtrack_client._client import Client
from jobtrack_client._context import current_job
from jobtrack_client._job import Job
from jobtrack_client._stage import Stage

T = TypeVar("T")


def track(
    items: Iterable[T] | AsyncIterable[T],
    name: str,
    *,
    total: int | None = None,
    job_type: str | None = None,
    client: Client | None = None,
    **described: Any,
) -> "Track[T]":
    """The items again, each counted as done when the next is asked for.

    Where a job runs (`current_job`) the loop is a stage of it, else a job with one stage: of `job_type` (default: its
    name), made with `client` (default: `Client()`) and what else `Client.job` takes. `total` is `len(items)` unless it
    is given.

    What the items raise fails the loop. What the loop's own body raises is not to be seen from here, and looks as
    `break` does: a job of its own is then cancelled, a stage left to the end of its job. To have both told for what
    they are, use the loop in a `with` statement:

    >>> with track(rows, "Import") as tracked:
    ...     for row in tracked:
    ...         load(row)

    Raises:
        ConfigurationError: a job has to be made, and `Client()` lacks something. It comes when the loop begins.
    """
    return Track(items, name, total, client, {"job_type": job_type or name, **described})


def begin(name: str, total: int | None, client: Client | None, described: Mapping[str, Any]) -> tuple[Stage, ExitStack]:
    """A stage of the job that runs, or of one made for it; the stack ends both as a `with` statement does.

    Raises:
        ConfigurationError: a job has to be made, and `Client()` lacks something.
    """
    with ExitStack() as stack:
        job = current_job() or stack.enter_context(_new_job(name, client, described, stack))
        return stack.enter_context(job.stage(name, total)), stack.pop_all()


class Track(Generic[T]):
    """A tracked loop; `track` makes it."""

    def __init__(
        self,
        items: Iterable[T] | AsyncIterable[T],
        name: str,
        total: int | None,
        client: Client | None,
        described: Mapping[str, Any],
    ) -> None:
        self._items = items
        self._name = name
        self._total = _length(items) if total is None else total
        self._client = client
        self._described = described
        self._entered = ExitStack()
        self._stage: Stage | None = None

    def __enter__(self) -> Self:
        """Begin the job or stage, which ends as the `with` statement does."""
        self._stage, self._entered = begin(self._name, self._total, self._client, self._described)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """End what was begun."""
        self._stage = None
        self._entered.__exit__(kind, error, traceback)

    def __iter__(self) -> Iterator[T]:
        """The items; without a `with` statement the job or stage begins and ends with them."""
        if self._stage is not None:
            yield from self._counted(self._stage)
            return
        with self:
            yield from self._counted(cast("Stage", self._stage))

    async def __aiter__(self) -> AsyncIterator[T]:
        """As `__iter__`, of asynchronous items."""
        async with AsyncExitStack() as stack:
            if (job := current_job()) is None:
                job = await stack.enter_async_context(_new_job(self._name, self._client, self._described, stack))
            stage = stack.enter_context(job.stage(self._name, self._total))
            async for item in cast("AsyncIterable[T]", self._items):
                yield item
                stage.advance()

    def _counted(self, stage: Stage) -> Iterator[T]:
        for item in cast("Iterable[T]", self._items):
            yield item
            stage.advance()


def _new_job(name: str, client: Client | None, described: Mapping[str, Any], stack: ExitStack | AsyncExitStack) -> Job:
    return (client or stack.enter_context(Client())).job(name, **described)


def _length(items: object) -> int | None:
    try:
        return length_hint(items, 0) or None
    except Exception:  # of the items' own `__len__`; it is no fault of the loop
        return None
