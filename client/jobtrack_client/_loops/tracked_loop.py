"""A loop as a stage of the current job, or of a new job that ends with the loop."""

import threading
from contextlib import ExitStack
from dataclasses import dataclass
from types import CodeType, FrameType
from typing import TYPE_CHECKING, Any

from jobtrack_client._jobs.client import Client, JobArguments
from jobtrack_client._jobs.context import current_job
from jobtrack_client._jobs.job import Job
from jobtrack_client._jobs.never_raise import guarded
from jobtrack_client._jobs.stage import Stage
from jobtrack_client._loops.loop_exits import UnknownError, show_exits, why_left
from jobtrack_client._runtime.tasks import current_task, raised_by

if TYPE_CHECKING:
    from asyncio import Task

DROPPED_SECONDS = 1.0
"""The longest time that an event loop waits for the end of an abandoned loop."""


@guarded
class Opened:
    """A loop that has begun: its stage, and its own job, if it has one."""

    def __init__(self, stage: Stage, own: Job | None, total: int | None, ending: ExitStack) -> None:
        self.stage = stage
        self.handed_out = 0
        """The number of items that the loop's body has received."""
        self.consumer: CodeType | None = None
        """The code that takes the items, if it is known."""
        self.ended = False
        self._own = own
        self._total = total
        self._ending = ending
        self._unseen: BaseException | None = None
        self._task: Task[Any] | None = None
        if own is not None:
            own.unfinished = self._exiting

    def end(self, error: BaseException | None) -> None:
        """End the stage and the loop's own job like a `with` statement that this error leaves."""
        if not self.ended:
            self.ended = True
            self._ending.__exit__(None if error is None else type(error), error, None)

    def dropped(self, frame: FrameType | None) -> None:
        """End a loop whose frame has dropped the iterator before its end."""
        if frame is None:
            self._left(None)
        else:
            self._unseen, self._task = UnknownError(), current_task()
            why_left(frame, self._left, None if self._whole else self.consumer)

    def _left(self, error: BaseException | None) -> None:
        self._unseen = None
        if isinstance(error, UnknownError):
            error = raised_by(self._task) or error
        if error is None and not self._whole:
            self._cancel()
            error = GeneratorExit()  # the stage then ends with its job
        elif error is None:
            self.stage.reach(self.handed_out)  # the last item counts, although no next item was requested
        self.end(error)

    def _exiting(self, error: BaseException | None) -> None:
        """Report the end of the job when the interpreter ends. The job is closed afterwards."""
        if self.ended or self._own is None:
            return
        self.ended = True
        error = error or self._unseen
        if error is None and not self._whole:
            self._cancel()
        else:
            self._own.conclude(error)

    def _cancel(self) -> None:
        if self._own is not None:
            total = "" if self._total is None else f" of {self._total}"
            self._own.cancel(f"the loop was left after {self.handed_out}{total} items")

    @property
    def _whole(self) -> bool:
        return self._total is not None and self.handed_out >= self._total


class OpenedBeside(Opened):
    """A loop inside an event loop."""

    def _left(self, error: BaseException | None) -> None:
        ending = threading.Thread(target=super()._left, args=(error,))
        try:
            ending.start()
        except RuntimeError:  # no thread can be started
            super()._left(error)
        else:
            ending.join(DROPPED_SECONDS)


@dataclass(frozen=True)
class NewJob:
    """The job of a loop that runs outside of any job, and the client that reports it (default: `Client()`)."""

    name: str
    job_type: str
    client: Client | None
    arguments: JobArguments

    def make(self, stack: ExitStack) -> Job:
        """Make the job. The stack closes its client, unless one was given."""
        show_exits()
        client = self.client or stack.enter_context(Client())
        return client.job(self.name, job_type=self.job_type, **self.arguments)


def begin(name: str, total: int | None, new_job: NewJob) -> Opened:
    """Begin a stage of the current job, or of a new one.

    Raises:
        ConfigurationError: there is no current job, and a setting of `Client()` is missing.
    """
    with ExitStack() as stack:
        own = None
        if (job := current_job()) is None:
            job = own = stack.enter_context(new_job.make(stack))
        return Opened(stack.enter_context(job.stage(name, total)), own, total, stack.pop_all())


async def begin_beside(name: str, total: int | None, new_job: NewJob) -> Opened:
    """Do as `begin`, without blocking the event loop."""
    with ExitStack() as stack:
        own = None
        if (job := current_job()) is None:
            job = own = await new_job.make(stack).__aenter__()
            stack.push(job)
        return OpenedBeside(stack.enter_context(job.stage(name, total)), own, total, stack.pop_all())
