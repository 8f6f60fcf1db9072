"""Tasks of Celery as tracked jobs: call `track_tasks()` where the application is made.

Each task that a worker runs is a job: its name is the job's and its type, its id the job's. What the task logs are the
job's lines, and in its body `jobtrack_client.current_job()` is the job. Neither its arguments nor its result are sent.
A retry, or a delivery that comes again after a worker was lost, goes on with the same job.
"""

import copy
import logging
from collections.abc import Callable
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from celery import signals  # type: ignore[import-untyped]

from jobtrack_client._client import Client
from jobtrack_client._context import current_job
from jobtrack_client._exceptions import ConfigurationError
from jobtrack_client._job import Job
from jobtrack_client._logging import tap
from jobtrack_client._notices import LOGGER
from jobtrack_client._options import ReporterOptions

__all__ = ["track_tasks"]

_OPTIONS = ReporterOptions(create_seconds=0)
_OF_TASKS = ("celery.task", "celery.redirected")
"""Celery's own loggers that say what a task says; the others know its arguments and its result."""


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


class _Tasks:
    """The jobs of the tasks that run in this process, by the tasks' ids."""

    def __init__(self, wanted: Callable[[Any], bool], client: Callable[[], Client], options: ReporterOptions) -> None:
        self._wanted = wanted
        self._new_client = client
        self._options = options
        self._client: Client | None = None
        self._failed = False
        self._running: dict[str, Job] = {}
        self._ending: list[Job] = []

    def began(self, task_id: str, task: Any, **_: object) -> None:
        """It runs here, for the first time or again."""
        if self._wanted(task) and (client := self._connected()) is not None:
            identity, about = _job_id(task_id), {"taskId": task_id}
            made = client.job(
                task.name, job_type=task.name, job_id=identity, resume=True, metadata=about, options=self._options
            )
            self._running[task_id] = made.start()

    def retried(self, request: Any, reason: object, **_: object) -> None:
        """It will run again, here or elsewhere."""
        if job := self._running.get(request.id):
            job.warning(f"retry {request.retries + 1}: {reason}")

    def failed(self, sender: Any, task_id: str, exception: BaseException, **_: object) -> None:
        """It raised, or the worker's main process tells of a task whose own was lost or took too long."""
        if job := self._running.get(task_id):
            job.fail(exception)
        else:
            self._end_of_another(sender, task_id, lambda job: job.fail(exception))

    def revoked(self, sender: Any, request: Any, terminated: bool, **_: object) -> None:
        """The worker's main process has ended its process; one that had not begun has no job."""
        if terminated:
            self._end_of_another(sender, request.id, Job.cancel)

    def ended(self, task_id: str, state: str | None, **_: object) -> None:
        """It runs no more; unless it succeeded, failed or was ignored it will run again."""
        if job := self._running.pop(task_id, None):
            if state == "SUCCESS":
                job.complete()
            elif state == "IGNORED":
                job.cancel()
            self._leave(job)

    def stopped(self, **_: object) -> None:
        """Wait for what is still being sent."""
        for job in self._ending:
            job.close(self._options.exit_seconds)
        self._ending.clear()

    def _end_of_another(self, task: Any, task_id: str, end: Callable[[Job], None]) -> None:
        if self._wanted(task) and (client := self._connected()) is not None:
            job = client.attach(_job_id(task_id), options=self._options).start()
            end(job)
            self._leave(job)

    def _leave(self, job: Job) -> None:
        self._ending = [each for each in self._ending if each.stats.waiting]
        self._ending.append(job)
        job.close(wait=False)

    def _connected(self) -> Client | None:
        if self._client is None and not self._failed:
            try:
                self._client = self._new_client()
            except ConfigurationError as error:  # a task can do without
                self._failed = True
                LOGGER.warning("tasks are not tracked: %s", error)
        return self._client


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
