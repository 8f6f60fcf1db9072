"""Tracks tasks of Celery as jobs: call `track_tasks()` where the application is made.

Each task that a worker runs is a job. The task's name is the name and type of the job, and the task's id is the job's
id. Log records of the task are log lines of the job, and `jobtrack_client.current_job()` in its body is the job. The
arguments and the result of a task are not sent.

All attempts of a task belong to one job: retries, repeated deliveries, and the task that replaces it (`self.replace`;
in a chain or group, the last task). The job is cancelled if the task is ignored, revoked or ended by a cold shutdown,
and fails if the task is rejected, unless the task will be delivered again. If a pool process is lost, the worker's main
process ends the job.

While a retry waits for its countdown, the worker that holds its message sends the job's heartbeats. If the message is
only in the broker (in a backlog, or delayed by a quorum queue of RabbitMQ), no heartbeats are sent, and the job is
marked as stalled after `heartbeat_seconds` until the task goes on. When an attempt begins in the same process, the
remaining events of the previous attempt are sent first. Events of another process may arrive too late.
"""

import codecs
import signal
import sys
from collections import deque
from collections.abc import Callable, Iterator
from functools import partial
from time import monotonic
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from celery import signals  # type: ignore[import-untyped]
from celery.exceptions import Reject  # type: ignore[import-untyped]

from jobtrack_client._exceptions import ConfigurationError
from jobtrack_client._jobs.client import Client
from jobtrack_client._jobs.job import Job
from jobtrack_client._jobs.log_handler import tap
from jobtrack_client._jobs.never_raise import guarded
from jobtrack_client._reporting.heartbeat import DEFAULT_SECONDS, silence
from jobtrack_client._reporting.options import ReporterOptions
from jobtrack_client._runtime import fork_safety
from jobtrack_client._runtime.log import LOGGER
from jobtrack_client.integrations.celery_heartbeats import HeldTasks
from jobtrack_client.integrations.celery_tasks import CUT_OFF, TaskLogHandler, end_of, interrupt

__all__ = ["track_tasks"]

_OPTIONS = ReporterOptions(create_seconds=0)
_REMEMBERED = 1000
"""The number of tasks that are remembered after their jobs ended."""


def track_tasks(
    is_tracked: Callable[[Any], bool] = lambda task: not task.name.startswith("celery."),
    *,
    client: Callable[[], Client] = Client,
    options: ReporterOptions = _OPTIONS,
    heartbeat_seconds: int | None = DEFAULT_SECONDS,
) -> Callable[[], None]:
    """Track the tasks of this process and of the pool that it forks. Return a function that undoes this.

    `is_tracked` selects the tasks; the default is all except Celery's own tasks. A task never waits for the service.
    When a process of a pool is shut down, it sends its remaining events within `exit_seconds` of the options. `client`
    is called when the worker starts, or at the first task if there is no worker. For `heartbeat_seconds`, see
    `Client.job`.
    """
    tasks = _Tasks(is_tracked, client, options, heartbeat_seconds)
    receivers = {
        signals.worker_init: tasks.prepared,
        signals.task_received: tasks.received,
        signals.task_prerun: tasks.began,
        signals.task_retry: tasks.retried,
        signals.task_failure: tasks.failed,
        signals.task_postrun: tasks.ended,
        signals.task_revoked: tasks.revoked,
        signals.worker_process_shutdown: tasks.left_pool,
        signals.worker_shutdown: tasks.stopped,
    }
    for event, receiver in receivers.items():
        event.connect(receiver, weak=False)
    untap = tap(TaskLogHandler())

    def undo() -> None:
        untap()
        tasks.stopped()
        for event, receiver in receivers.items():
            event.disconnect(receiver)

    return undo


@guarded
class _Tasks:
    """The jobs of the tasks that run in this process, by the tasks' ids."""

    def __init__(
        self,
        is_tracked: Callable[[Any], bool],
        client: Callable[[], Client],
        options: ReporterOptions,
        heartbeat_seconds: int | None,
    ) -> None:
        self._is_tracked = is_tracked
        self._new_client = client
        self._options = options
        self._heartbeat_seconds = heartbeat_seconds
        self._client: Client | None = None
        self._failed = False
        self._running: dict[str, Job] = {}
        self._ending: dict[Job, None] = {}
        self._ended: deque[str] = deque(maxlen=_REMEMBERED)
        self._held: HeldTasks | None = None
        fork_safety.renew(self)

    def prepared(self, **_: object) -> None:
        """Import all modules that jobs need before the worker's pool forks.

        A process of the pool is forked while other threads run. It would wait forever for a module that one of them
        was importing at that moment.
        """
        codecs.lookup("idna")  # host names are resolved with this codec
        self._connected()

    def received(self, request: Any, **_: object) -> None:
        """Handle a task that this worker has received. If it was delivered before, its job may be running."""
        again = request.request_dict.get("retries") or request.delivery_info.get("redelivered")
        if again and self._is_tracked(request.task) and (held := self._held_tasks()):
            held.hold(_job_id(request.id), request)

    def began(self, task_id: str, task: Any, **_: object) -> None:
        """Handle a task that begins, for the first time or again."""
        # A task that replaces another continues its job, even if it is Celery's own last task of a group.
        if self._is_tracked(task) or task.request.get("replaced_task_nesting"):
            for job in self._job(task, task_id):
                job.unfinished = partial(interrupt, job, bool(task.acks_late))
                self._running[task_id] = job.start()

    def retried(self, sender: Any, request: Any, reason: object = None, **_: object) -> None:
        """Handle a retry. Without a reason, a cold shutdown has ended the task, and it will not run again."""
        job = self._running.get(request.id)
        if job and reason is not None:
            job.warning(f"retry {request.retries + 1}: {reason}")
        elif not job and reason is None:
            self._end_of_another(sender, request.id, lambda job: job.cancel(CUT_OFF))

    def failed(self, sender: Any, task_id: str, exception: BaseException, **_: object) -> None:
        """Handle a task that raised an exception, took too long, or whose process was lost."""
        if job := self._running.get(task_id):
            job.fail(exception)
        elif not isinstance(exception, Reject):  # the process that ran the task has reported it
            self._end_of_another(sender, task_id, lambda job: job.fail(exception))

    def revoked(self, sender: Any, request: Any, terminated: bool, **_: object) -> None:
        """Handle a task that will not run or was ended. A task that never began has no job."""
        if terminated or request.retries or (request.delivery_info or {}).get("redelivered"):
            self._end_of_another(sender, request.id, lambda job: job.cancel("the task was revoked"))

    def ended(self, task: Any, task_id: str, state: str | None, retval: object, **_: object) -> None:
        """Handle the end of a task. Its job ends too, unless the task will run again."""
        if job := self._running.pop(task_id, None):
            if task_id not in self._ended and (
                end := end_of(state, sys.exc_info()[1] if state is None else retval, bool(task.acks_late))
            ):
                self._finish(task_id, job, end)
            self._leave(job)

    def stopped(self, **_: object) -> None:
        """Wait until all jobs have sent their events, at most `exit_seconds` of the options in total."""
        if self._held is not None:
            self._held.stop()
        deadline, ending = monotonic() + self._options.exit_seconds, tuple(self._ending)
        for job in ending:
            job.close(self._options.exit_seconds, wait=False)
        for job in ending:
            job.close(max(0.0, deadline - monotonic()))
            self._ending.pop(job, None)

    def left_pool(self, **_: object) -> None:
        """Wait until this process of a pool, which is about to end, has sent its events.

        Afterwards, the main process sends it a SIGTERM. Billiard blocks that signal in the main thread while it holds
        the lock of the pool's results. But if there is another thread, such as our sending thread, the signal would
        still end the process, and all other processes of the pool would wait for the lock.
        """
        self.stopped()
        signal.signal(signal.SIGTERM, signal.SIG_IGN)

    def forked(self) -> None:
        """Leave the running tasks to the parent, which ends their jobs."""
        self._ended.extend(self._running)
        self._running, self._ending, self._held = {}, {}, None

    def _finish(self, task_id: str, job: Job, end: Callable[[Job], None]) -> None:
        self._ended.append(task_id)
        end(job)

    def _end_of_another(self, task: Any, task_id: str, end: Callable[[Job], None]) -> None:
        """End a task's job, if another process ran the task or if the task will be killed."""
        if job := self._running.get(task_id):
            self._finish(task_id, job, end)
        elif self._is_tracked(task) and task_id not in self._ended:
            for job in self._job(task, task_id):
                end(job.start())
                self._leave(job)

    def _job(self, task: Any, task_id: str) -> Iterator[Job]:
        """Yield a task's job, which another process may have begun; nothing without a client."""
        if client := self._connected():
            job = client.job(
                task.name,
                job_type=task.name,
                job_id=_job_id(task_id),
                resume=True,
                metadata={"taskId": task_id},
                heartbeat_seconds=self._heartbeat_seconds,
                options=self._options,
            )
            if earlier := next((other for other in reversed(tuple(self._ending)) if other.job_id == job.job_id), None):
                job._reporter.follow(earlier._reporter)
            yield job

    def _leave(self, job: Job) -> None:
        for other in tuple(self._ending):
            if not other.stats.waiting:
                self._ending.pop(other, None)
        self._ending[job] = None
        job.close(wait=False)

    def _held_tasks(self) -> HeldTasks | None:
        """Return the sender of heartbeats for held tasks; None if it is not needed."""
        every, client = silence(self._heartbeat_seconds), self._connected()
        if self._held is None and every is not None and client is not None:
            self._held = HeldTasks(client._http, every)
        return self._held

    def _connected(self) -> Client | None:
        if self._client is None and not self._failed:
            try:
                self._client = self._new_client()
            except ConfigurationError as error:  # tasks run without a client too
                self._failed = True
                LOGGER.warning("tasks are not tracked: %s", error)
        return self._client


def _job_id(task_id: str) -> str:
    """Return the task's id. If it is not a GUID, return a GUID that is derived from it."""
    try:
        return str(UUID(task_id))
    except ValueError:
        return str(uuid5(NAMESPACE_URL, f"celery:{task_id}"))
