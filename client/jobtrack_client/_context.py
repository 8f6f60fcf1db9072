"""Which job and stage the code that runs belongs to: by context, so that every thread and task has its own."""

from contextvars import ContextVar
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from jobtrack_client._job import Job
    from jobtrack_client._stage import Stage


class Scope(NamedTuple):
    """A `with` statement of a job, or of a stage of it, and the one around it."""

    job: "Job"
    stage: "Stage | None"
    outer: "Scope | None"

    @property
    def open(self) -> bool:
        """Whether it has not ended; it may have, in another context that it was copied to."""
        return self.job.running if self.stage is None else self.stage.running


SCOPE: ContextVar[Scope | None] = ContextVar("jobtrack_scope", default=None)
"""The innermost."""
_DEFAULT: "list[Job]" = []


def enter(job: "Job", stage: "Stage | None" = None) -> None:
    """What follows in this context belongs to the job, and to the stage."""
    SCOPE.set(Scope(job, stage, _open(SCOPE.get())))


def leave(job: "Job", stage: "Stage | None" = None) -> None:
    """It no longer does."""
    SCOPE.set(_without(SCOPE.get(), job, stage))


def knows(job: "Job") -> bool:
    """Whether this context is that of the job's `with` statement or came from it."""
    return any(scope.job is job for scope in _chain())


def innermost(job: "Job") -> "Stage | None":
    """The stage of the job that this context is in."""
    scope = SCOPE.get()
    while scope is not None:
        if scope.job is job and scope.stage is not None and scope.stage.running:
            return scope.stage
        scope = scope.outer
    return None


def current_job() -> "Job | None":
    """The job that the code that runs belongs to: of this thread or task, else the one that was installed for all."""
    inner = next((scope.job for scope in _chain() if scope.job.running), None)
    return inner or next((job for job in reversed(_DEFAULT) if job.running), None)


def install_default(job: "Job") -> None:
    """Make it the job of every context that has none."""
    _DEFAULT.append(job)


def remove_default(job: "Job") -> None:
    """It no longer is."""
    _DEFAULT.remove(job)


def _chain() -> "list[Scope]":
    scopes, scope = [], SCOPE.get()
    while scope is not None:
        scopes.append(scope)
        scope = scope.outer
    return scopes


def _open(scope: Scope | None) -> Scope | None:
    while scope is not None and not scope.open:
        scope = scope.outer
    return scope


def _without(scope: Scope | None, job: "Job", stage: "Stage | None") -> Scope | None:
    if scope is None or (scope.job is job and scope.stage is stage):
        return None if scope is None else scope.outer
    return scope._replace(outer=_without(scope.outer, job, stage))
