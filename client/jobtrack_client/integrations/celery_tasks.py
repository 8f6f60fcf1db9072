"""Reports the logs and prints of a Celery task to its job, and how the job ends."""

import copy
import logging
import sys
from collections.abc import Callable
from traceback import walk_tb

from celery import Task  # type: ignore[import-untyped]
from celery.exceptions import (  # type: ignore[import-untyped]
    Ignore,
    Reject,
    WorkerLostError,
    WorkerShutdown,
    WorkerTerminate,
)

from jobtrack_client._jobs.context import current_job
from jobtrack_client._jobs.job import Job
from jobtrack_client._jobs.never_raise import guarded

CUT_OFF = "the worker was shut down before the task had ended"

_OF_TASKS = ("celery.task", "celery.redirected")
"""Loggers of Celery with output of tasks. Its other loggers write arguments and results."""


def end_of(state: str | None, outcome: object, acks_late: bool) -> Callable[[Job], None] | None:
    """Return how to end the job; None if the task will run again, or another process ends the job."""
    if state == "SUCCESS":
        return Job.complete
    if state == "FAILURE":
        return lambda job: None  # `failed` was called
    if isinstance(outcome, Ignore) and not _replaced(outcome):
        return lambda job: job.cancel(f"the task was ignored: {outcome}")
    if isinstance(outcome, Reject) and not (outcome.requeue and acks_late):
        return lambda job: job.fail(outcome.reason or outcome)
    return _break_off(outcome, acks_late) if state is None and isinstance(outcome, BaseException) else None


def _break_off(error: BaseException, acks_late: bool) -> Callable[[Job], None] | None:
    """Return how to end the job of a task that raised an exception which Celery does not catch."""
    if (
        _in_pool_process()
    ):  # the main process notices the lost process, and knows whether the task will be delivered again
        return None
    if (
        isinstance(error, (KeyboardInterrupt, WorkerShutdown, WorkerTerminate))
        or type(error).__name__ == "GreenletExit"
    ):
        return None if acks_late else lambda job: job.cancel(CUT_OFF)
    if isinstance(error, SystemExit):
        return lambda job: job.fail(WorkerLostError(f"the task called sys.exit({error.code!r})"))
    return lambda job: job.fail(error)


def _replaced(error: BaseException) -> bool:
    """Return whether `Task.replace` raised this `Ignore`."""
    return any(frame.f_code is Task.replace.__code__ for frame, _ in walk_tb(error.__traceback__))


def _in_pool_process() -> bool:
    billiard = sys.modules.get("billiard.process")
    return billiard is not None and billiard.current_process()._name != "MainProcess"


def interrupt(job: Job, acks_late: bool, error: BaseException | None) -> None:
    """Report that the interpreter ends while the task runs.

    If the task is acknowledged late, its message is still in the broker, which will deliver it again.
    """
    if acks_late:
        job.log("WARN", f"interrupted: {CUT_OFF}")
    else:
        job.cancel(CUT_OFF)


@guarded
class TaskLogHandler(logging.Handler):
    """Reports the log records of a running task to its job."""

    def emit(self, record: logging.LogRecord) -> None:
        """Report a record. Celery logs printed lines as warnings; they are reported as INFO."""
        own = record.name.partition(".")[0] != "celery" or record.name in _OF_TASKS
        if own and (job := current_job()):
            if record.name == "celery.redirected":
                record = copy.copy(record)
                record.levelno, record.name = logging.INFO, "print"
            job.logging_handler().handle(record)
