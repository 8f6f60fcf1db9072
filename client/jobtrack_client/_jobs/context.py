"""The job and stage that running code belongs to. Every thread and task has its own context."""

import sys
from typing import TYPE_CHECKING, NamedTuple
from weakref import WeakValueDictionary

from jobtrack_client._jobs.context_propagation import SCOPE, carry, scope
from jobtrack_client._jobs.never_raise import guard
from jobtrack_client._runtime.tasks import is_main_program

if TYPE_CHECKING:
    from jobtrack_client._jobs.job import Job
    from jobtrack_client._jobs.stage import Stage


class Scope(NamedTuple):
    """The `with` statement of a job or a stage, and its outer scope."""

    job: "Job"
    stage: "Stage | None"
    outer: "Scope | None"

    @property
    def open(self) -> bool:
        """Whether the job or stage is open. Another context may have closed it."""
        return self.job.running if self.stage is None else self.stage.running


_DEFAULT: "list[Job]" = []
_OF_THE_PROGRAM: "list[Job]" = []
"""The jobs that the main thread began outside any task or greenlet."""
_BEGUN: "WeakValueDictionary[str, Job]" = WeakValueDictionary()


def enter(job: "Job", stage: "Stage | None" = None) -> None:
    """Make a job or its stage current in this context."""
    if stage is None:
        carry()
        _BEGUN[job.job_id] = job
        if is_main_program():
            _OF_THE_PROGRAM.append(job)
    SCOPE.set(Scope(job, stage, _open(scope())))


def leave(job: "Job", stage: "Stage | None" = None) -> None:
    """Undo `enter`."""
    if stage is None and job in _OF_THE_PROGRAM:
        _OF_THE_PROGRAM.remove(job)
    SCOPE.set(_without(SCOPE.get(), job, stage))


def knows(job: "Job") -> bool:
    """Return whether this context comes from the job's `with` statement."""
    return any(scope.job is job for scope in _chain(SCOPE.get()))


def innermost(job: "Job") -> "Stage | None":
    """Return the innermost stage of a job in this context."""
    stages = (outer.stage for outer in _chain(scope()) if outer.job is job)
    return next((stage for stage in stages if stage is not None and stage.running), None)


@guard
def current_job() -> "Job | None":
    """Return the running job that this code belongs to.

    This is the job of this thread or task, or of the code that started this thread, executor call or greenlet. If there
    is none, it is the job that `install` was called with, or the job that the main thread began. In a process that
    `multiprocessing` started, it is the job of the code that started the process.
    """
    inner = next((outer.job for outer in _chain(scope()) if outer.job.running), None)
    of_all = next((job for job in (*reversed(_DEFAULT), *reversed(_OF_THE_PROGRAM)) if job.running), None)
    return inner or of_all or _inherited()


def running(job_id: str) -> "Job | None":
    """Return the running job with this id in this process."""
    job = _BEGUN.get(job_id)
    return job if job is not None and job.running else None


def install_default(job: "Job") -> None:
    """Make a job current in all contexts without a job."""
    _DEFAULT.append(job)


def remove_default(job: "Job") -> None:
    """Undo `install_default`."""
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
    return next((scope for scope in _chain(innermost) if scope.open), None)


def _without(innermost: Scope | None, job: "Job", stage: "Stage | None") -> Scope | None:
    if innermost is None or (innermost.job is job and innermost.stage is stage):
        return None if innermost is None else innermost.outer
    return innermost._replace(outer=_without(innermost.outer, job, stage))
