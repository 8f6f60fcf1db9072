"""Tasks of Celery as tracked jobs: call `track_tasks()` where the application is made.

Each task that a worker runs is a job: its name is the job's and its type, its id the job's. What the task logs are the
job's lines, and in its body `jobtrack_client.current_job()` is the job. Neither its arguments nor its result are sent.

One job goes through all tries of a task: retries, a delivery that comes again, and what replaces it (`self.replace`; of
a chain or group that is the last task). The job of a task that is ignored, revoked or cut off by a cold shutdown is
cancelled, that of one that is rejected fails, unless the task will be delivered again. Where a process of a pool is
lost, the worker's main process reports the end.
"""

import copy
import logging
import sys
from collections import deque
from collections.abc import Callable, Iterator
from traceback import walk_tb
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from celery import Task, signals  # type: ignore[import-untyped]
from celery.exceptions import (  # type: ignore[import-untyped]
    Ignore,
    Reject,
    WorkerLostError,
    WorkerShutdown,
    WorkerTerminate,
)

from jobtrack_client._client import Client
from jobtrack_client._context import current_job
from jobtrack_client._exceptions import ConfigurationError
from jobtrack_client._guard import guarded
from jobtrack_client._job import Job
from jobtrack_client._log import LOGGER
from jobtrack_client._logging import tap
from jobtrack_client._options import ReporterOptions

__all__ = ["track_tasks"]

_OPTIONS = ReporterOptions(create_seconds=0)
_OF_TASKS = ("celery.task", "celery.redirected")
"""Celery's own loggers that say what a task says; the others know its arguments and its result."""
_REMEMBERED = 1000
"""Tasks of which it is remembered that their jobs were ended here."""
_CUT_OFF = "the worker was shut down before the task had ended"


def track_tasks(
    wanted: Callable[[Any], bool] = lambda task: not task.name.startswith("celery."),
    *,
    client: Callable[[], Client] = Client,
    options: ReporterOptions = _OPTIONS,
) -> Callable[[], None]:
    """Track every task of this process, and of a pool's that it forks, that is `wanted`; answers what undoes it.

    The service is waited for neither before a task runs nor after it. What a pool's process has not sent when it is
    shut down, it sends within the options' `exit_seconds`. The `client` is made with the first task.
    """
    tasks = _Tasks(wanted, client, options)
    receivers = {
        signals.task_prerun: tasks.began,
        signals.task_retry: tasks.retried,
        signals.task_failure: tasks.failed,
        signals.task_postrun: tasks.ended,
        signals.task_revoked: tasks.revoked,
        signals.worker_process_shutdown: tasks.stopped,
        signals.worker_shutdown: tasks.stopped,
    }
    for signal, receiver in receivers.items():
        signal.connect(receiver, weak=False)
    untap = tap(_TaskLogHandler())

    def undo() -> None:
        untap()
        tasks.stopped()
        for signal, receiver in receivers.items():
            signal.disconnect(receiver)

    return undo


@guarded
class _Tasks:
    """The jobs of the tasks that run in this process, by the tasks' ids."""

    def __init__(self, wanted: Callable[[Any], bool], client: Callable[[], Client], options: ReporterOptions) -> None:
        self._wanted = wanted
        self._new_client = client
        self._options = options
        self._client: Client | None = None
        self._failed = False
        self._running: dict[str, Job] = {}
        self._ending: set[Job] = set()
        self._ended: deque[str] = deque(maxlen=_REMEMBERED)

    def began(self, task_id: str, task: Any, **_: object) -> None:
        """It runs here, for the first time or again."""
        # What replaces a task goes on with its job, if it is a task of Celery's own that a group ends with.
        if self._wanted(task) or task.request.get("replaced_task_nesting"):
            self._running.update((task_id, job.start()) for job in self._job(task, task_id))

    def retried(self, sender: Any, request: Any, reason: object = None, **_: object) -> None:
        """It will run again, here or elsewhere; without a reason it was cut off by a cold shutdown, and will not."""
        job = self._running.get(request.id)
        if job and reason is not None:
            job.warning(f"retry {request.retries + 1}: {reason}")
        elif not job and reason is None:
            self._end_of_another(sender, request.id, lambda job: _cancel(job, _CUT_OFF))

    def failed(self, sender: Any, task_id: str, exception: BaseException, **_: object) -> None:
        """It raised, or the worker's main process tells of a task whose own was lost or took too long."""
        if job := self._running.get(task_id):
            job.fail(exception)
        elif not isinstance(exception, Reject):  # which the process that ran it has reported
            self._end_of_another(sender, task_id, lambda job: job.fail(exception))

    def revoked(self, sender: Any, request: Any, terminated: bool, **_: object) -> None:
        """It will not run, or its process was ended; one that had never begun has no job."""
        if terminated or request.retries or (request.delivery_info or {}).get("redelivered"):
            self._end_of_another(sender, request.id, lambda job: _cancel(job, "the task was revoked"))

    def ended(self, task: Any, task_id: str, state: str | None, retval: object, **_: object) -> None:
        """It runs no more; whether its job does depends on whether it will be run again."""
        if job := self._running.pop(task_id, None):
            if task_id not in self._ended and (
                end := _end(state, sys.exc_info()[1] if state is None else retval, bool(task.acks_late))
            ):
                self._finish(task_id, job, end)
            self._leave(job)

    def stopped(self, **_: object) -> None:
        """Wait for what is still being sent."""
        while self._ending:
            self._ending.pop().close(self._options.exit_seconds)

    def _finish(self, task_id: str, job: Job, end: Callable[[Job], None]) -> None:
        self._ended.append(task_id)
        end(job)

    def _end_of_another(self, task: Any, task_id: str, end: Callable[[Job], None]) -> None:
        """End the job of a task that another process ran, or that goes on running here until it is killed."""
        if job := self._running.get(task_id):
            self._finish(task_id, job, end)
        elif self._wanted(task) and task_id not in self._ended:
            for job in self._job(task, task_id):
                end(job.start())
                self._leave(job)

    def _job(self, task: Any, task_id: str) -> Iterator[Job]:
        """The task's job, begun by another process or not; none without a client."""
        if client := self._connected():
            identity, about = _job_id(task_id), {"taskId": task_id}
            yield client.job(
                task.name, job_type=task.name, job_id=identity, resume=True, metadata=about, options=self._options
            )

    def _leave(self, job: Job) -> None:
        for other in tuple(self._ending):
            if not other.stats.waiting:
                self._ending.discard(other)
        self._ending.add(job)
        job.close(wait=False)

    def _connected(self) -> Client | None:
        if self._client is None and not self._failed:
            try:
                self._client = self._new_client()
            except ConfigurationError as error:  # a task can do without
                self._failed = True
                LOGGER.warning("tasks are not tracked: %s", error)
        return self._client


def _end(state: str | None, outcome: object, acks_late: bool) -> Callable[[Job], None] | None:
    """How to end the job of a task that ended so; None where it will run again, or another process ends the job."""
    if state == "SUCCESS":
        return Job.complete
    if state == "FAILURE":
        return lambda job: None  # `failed` was called
    if isinstance(outcome, Ignore) and not _replaced(outcome):
        return lambda job: _cancel(job, f"the task was ignored: {outcome}")
    if isinstance(outcome, Reject) and not (outcome.requeue and acks_late):
        return lambda job: job.fail(outcome.reason or outcome)
    return _break_off(outcome, acks_late) if state is None and isinstance(outcome, BaseException) else None


def _break_off(error: BaseException, acks_late: bool) -> Callable[[Job], None] | None:
    """The end of a task that raised what Celery does not catch."""
    if _in_pool_process():  # the main process will find it lost, and knows whether the task will be delivered again
        return None
    if (
        isinstance(error, (KeyboardInterrupt, WorkerShutdown, WorkerTerminate))
        or type(error).__name__ == "GreenletExit"
    ):
        return None if acks_late else lambda job: _cancel(job, _CUT_OFF)
    if isinstance(error, SystemExit):
        return lambda job: job.fail(WorkerLostError(f"the task has called sys.exit({error.code!r})"))
    return lambda job: job.fail(error)


def _replaced(error: BaseException) -> bool:
    """Whether this `Ignore` was raised by `Task.replace`."""
    return any(frame.f_code is Task.replace.__code__ for frame, _ in walk_tb(error.__traceback__))


def _in_pool_process() -> bool:
    billiard = sys.modules.get("billiard.process")
    return billiard is not None and billiard.current_process()._name != "MainProcess"


def _cancel(job: Job, reason: str) -> None:
    job.log("WARN", f"cancelled: {reason}")
    job.cancel()


@guarded
class _TaskLogHandler(logging.Handler):
    """Reports what is logged while a task runs to its job."""

    def emit(self, record: logging.LogRecord) -> None:
        """Report the record; what a task prints is no warning, though Celery makes it one."""
        own = record.name.partition(".")[0] != "celery" or record.name in _OF_TASKS
        if own and (job := current_job()):
            if record.name == "celery.redirected":
                record = copy.copy(record)
                record.levelno, record.name = logging.INFO, "print"
            job.logging_handler().handle(record)


def _job_id(task_id: str) -> str:
    """The task's id, or one made of it: it is a GUID unless whoever called the task has chosen another."""
    try:
        return str(UUID(task_id))
    except ValueError:
        return str(uuid5(NAMESPACE_URL, f"celery:{task_id}"))
