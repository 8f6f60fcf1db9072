"""Which job and stage the code that runs belongs to: by context, so that every thread and task has its own."""

import sys
from typing import TYPE_CHECKING, NamedTuple
from weakref import WeakValueDictionary

from jobtrack_client._jobs.context_propagation import SCOPE, carry, scope
from jobtrack_client._jobs.guard import guard
from jobtrack_client._runtime.tasks import is_main_program

if TYPE_CHECKING:
    from jobtrack_client._jobs.job import Job
    from jobtrack_client._jobs.stage import Stage


class Scope(NamedTuple):
    """A `with` statement of a job, or of a stage of it, and the one around it."""

    job: "Job"
    stage: "Stage | None"
    outer: "Scope | None"

    @property
    def open(self) -> bool:
        """Whether it has not ended; it may have, in another context that it was copied to."""
        return self.job.running if self.stage is None else self.stage.running


_DEFAULT: "list[Job]" = []
_OF_THE_PROGRAM: "list[Job]" = []
"""Jobs that the main thread began, outside any task or greenlet."""
_BEGUN: "WeakValueDictionary[str, Job]" = WeakValueDictionary()


def enter(job: "Job", stage: "Stage | None" = None) -> None:
    """What follows in this context belongs to the job, and to the stage."""
    if stage is None:
        carry()
        _BEGUN[job.job_id] = job
        if is_main_program():
            _OF_THE_PROGRAM.append(job)
    SCOPE.set(Scope(job, stage, _open(scope())))


def leave(job: "Job", stage: "Stage | None" = None) -> None:
    """It no longer does."""
    if stage is None and job in _OF_THE_PROGRAM:
        _OF_THE_PROGRAM.remove(job)
    SCOPE.set(_without(SCOPE.get(), job, stage))


def knows(job: "Job") -> bool:
    """Whether this context is that of the job's `with` statement or came from it."""
    return any(each.job is job for each in _chain(SCOPE.get()))


def innermost(job: "Job") -> "Stage | None":
    """The stage of the job that this context is in."""
    stages = (each.stage for each in _chain(scope()) if each.job is job)
    return next((stage for stage in stages if stage is not None and stage.running), None)


@guard
def current_job() -> "Job | None":
    """The job that the code that runs belongs to, if it runs.

    That is the job of this thread or task; else of the code that started this thread, this call of an executor, or this
    greenlet; else the one that was installed for all; else the one that the main thread has begun. In a process that
    `multiprocessing` starts anew it is that of the code that started the process.
    """
    inner = next((each.job for each in _chain(scope()) if each.job.running), None)
    of_all = next((job for job in (*reversed(_DEFAULT), *reversed(_OF_THE_PROGRAM)) if job.running), None)
    return inner or of_all or _inherited()


def running(job_id: str) -> "Job | None":
    """The job of that id that runs in this process."""
    job = _BEGUN.get(job_id)
    return job if job is not None and job.running else None


def install_default(job: "Job") -> None:
    """Make it the job of every context that has none."""
    _DEFAULT.append(job)


def remove_default(job: "Job") -> None:
    """It no longer is."""
    _DEFAULT.remove(job)


def _inherited() -> "Job | None":
    if "multiprocessing.process" not in sys.modules:
        return None
    from jobtrack_client._jobs.child_processes import inherited_job

    return inherited_job()


def _chain(innermost: Scope | None) -> "list[Scope]":
    scopes = []
    while innermost is not None:
        scopes.append(innermost)
        innermost = innermost.outer
    return scopes


def _open(innermost: Scope | None) -> Scope | None:
    return next((each for each in _chain(innermost) if each.open), None)


def _without(innermost: Scope | None, job: "Job", stage: "Stage | None") -> Scope | None:
    if innermost is None or (innermost.job is job and innermost.stage is stage):
        return None if innermost is None else innermost.outer
    return innermost._replace(outer=_without(innermost.outer, job, stage))
