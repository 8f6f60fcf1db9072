"""Tasks of Celery as tracked jobs: call `track_tasks()` where the application is made.

Each task that a worker runs is a job: its name is the job's and its type, its id the job's. What the task logs are the
job's lines, and in its body `jobtrack_client.current_job()` is the job. Neither its arguments nor its result are sent.

One job goes through all tries of a task: retries, a delivery that comes again, and what replaces it (`self.replace`; of
a chain or group that is the last task). The job of a task that is ignored, revoked or cut off by a cold shutdown is
cancelled, that of one that is rejected fails, unless the task will be delivered again. Where a process of a pool is
lost, the worker's main process reports the end.

While a retry waits for its countdown, the worker that has received its message sends the job's heartbeats. Nobody does
while the message is only in the broker: behind a backlog, or where the broker itself delays it (RabbitMQ's quorum
queues). A job that is silent there for `heartbeat_seconds` is marked as stalled until its task goes on. What a try has
not sent when the next one begins is sent first in the same process; from another process it may come too late.
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
from jobtrack_client._jobs.guard import guarded
from jobtrack_client._jobs.job import Job
from jobtrack_client._jobs.log_handler import tap
from jobtrack_client._reporting.heartbeat import DEFAULT_SECONDS, silence
from jobtrack_client._reporting.options import ReporterOptions
from jobtrack_client._runtime import fork_safety
from jobtrack_client._runtime.log import LOGGER
from jobtrack_client.integrations.celery_endings import CUT_OFF, end_of, interrupt
from jobtrack_client.integrations.celery_heartbeats import HeldTasks
from jobtrack_client.integrations.celery_logs import TaskLogHandler

__all__ = ["track_tasks"]

_OPTIONS = ReporterOptions(create_seconds=0)
_REMEMBERED = 1000
"""Tasks of which it is remembered that their jobs were ended here."""


def track_tasks(
    wanted: Callable[[Any], bool] = lambda task: not task.name.startswith("celery."),
    *,
    client: Callable[[], Client] = Client,
    options: ReporterOptions = _OPTIONS,
    heartbeat_seconds: int | None = DEFAULT_SECONDS,
) -> Callable[[], None]:
    """Track every task of this process, and of a pool's that it forks, that is `wanted`; returns what undoes it.

    The service is waited for neither before a task runs nor after it. What a pool's process has not sent when it is
    shut down, it sends within the options' `exit_seconds`. The `client` is made when the worker starts, or with the
    first task where there is no worker. For `heartbeat_seconds` see `Client.job`.
    """
    tasks = _Tasks(wanted, client, options, heartbeat_seconds)
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
        wanted: Callable[[Any], bool],
        client: Callable[[], Client],
        options: ReporterOptions,
        heartbeat_seconds: int | None,
    ) -> None:
        self._wanted = wanted
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
        """Import all that jobs need before the worker's pool forks.

        A process of the pool is forked while other threads run. It would wait forever for a module that one of them
        was importing at that moment.
        """
        codecs.lookup("idna")  # by which host names are resolved
        self._connected()

    def received(self, request: Any, **_: object) -> None:
        """This worker holds it; its job may run already, if this is not its first delivery."""
        again = request.request_dict.get("retries") or request.delivery_info.get("redelivered")
        if again and self._wanted(request.task) and (held := self._holding()):
            held.hold(_job_id(request.id), request)

    def began(self, task_id: str, task: Any, **_: object) -> None:
        """It runs here, for the first time or again."""
        # What replaces a task goes on with its job, if it is a task of Celery's own that a group ends with.
        if self._wanted(task) or task.request.get("replaced_task_nesting"):
            for job in self._job(task, task_id):
                job.unfinished = partial(interrupt, job, bool(task.acks_late))
                self._running[task_id] = job.start()

    def retried(self, sender: Any, request: Any, reason: object = None, **_: object) -> None:
        """It will run again, here or elsewhere; without a reason it was cut off by a cold shutdown, and will not."""
        job = self._running.get(request.id)
        if job and reason is not None:
            job.warning(f"retry {request.retries + 1}: {reason}")
        elif not job and reason is None:
            self._end_of_another(sender, request.id, lambda job: job.cancel(CUT_OFF))

    def failed(self, sender: Any, task_id: str, exception: BaseException, **_: object) -> None:
        """It raised, or the worker's main process tells of a task whose own was lost or took too long."""
        if job := self._running.get(task_id):
            job.fail(exception)
        elif not isinstance(exception, Reject):  # which the process that ran it has reported
            self._end_of_another(sender, task_id, lambda job: job.fail(exception))

    def revoked(self, sender: Any, request: Any, terminated: bool, **_: object) -> None:
        """It will not run, or its process was ended; one that had never begun has no job."""
        if terminated or request.retries or (request.delivery_info or {}).get("redelivered"):
            self._end_of_another(sender, request.id, lambda job: job.cancel("the task was revoked"))

    def ended(self, task: Any, task_id: str, state: str | None, retval: object, **_: object) -> None:
        """It runs no more; whether its job does depends on whether it will be run again."""
        if job := self._running.pop(task_id, None):
            if task_id not in self._ended and (
                end := end_of(state, sys.exc_info()[1] if state is None else retval, bool(task.acks_late))
            ):
                self._finish(task_id, job, end)
            self._leave(job)

    def stopped(self, **_: object) -> None:
        """Wait for what is still being sent, by all jobs together within the options' `exit_seconds`."""
        if self._held is not None:
            self._held.stop()
        deadline, ending = monotonic() + self._options.exit_seconds, tuple(self._ending)
        for job in ending:
            job.close(self._options.exit_seconds, wait=False)
        for job in ending:
            job.close(max(0.0, deadline - monotonic()))
            self._ending.pop(job, None)

    def left_pool(self, **_: object) -> None:
        """Wait for what is still being sent by this process of a pool, which is about to end.

        It then tells the main process so, which sends it a SIGTERM at once. Billiard blocks that in the main thread
        while it holds the lock of the pool's results. In a process with another thread, such as one that has sent for
        us, the signal would still end it there, and all processes of the pool would wait for the lock.
        """
        self.stopped()
        signal.signal(signal.SIGTERM, signal.SIG_IGN)

    def forked(self) -> None:
        """Leave the tasks that run to the parent: only it ends their jobs, whatever leads back here from the fork."""
        self._ended.extend(self._running)
        self._running, self._ending, self._held = {}, {}, None

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
            job = client.job(
                task.name,
                job_type=task.name,
                job_id=_job_id(task_id),
                resume=True,
                metadata={"taskId": task_id},
                heartbeat_seconds=self._heartbeat_seconds,
                options=self._options,
            )
            if earlier := next((each for each in reversed(tuple(self._ending)) if each.job_id == job.job_id), None):
                job._reporter.follow(earlier._reporter)
            yield job

    def _leave(self, job: Job) -> None:
        for other in tuple(self._ending):
            if not other.stats.waiting:
                self._ending.pop(other, None)
        self._ending[job] = None
        job.close(wait=False)

    def _holding(self) -> HeldTasks | None:
        """What sends heartbeats for the tasks that this worker holds; None where there are none to be sent."""
        every, client = silence(self._heartbeat_seconds), self._connected()
        if self._held is None and every is not None and client is not None:
            self._held = HeldTasks(client._http, every)
        return self._held

    def _connected(self) -> Client | None:
        if self._client is None and not self._failed:
            try:
                self._client = self._new_client()
            except ConfigurationError as error:  # a task can do without
                self._failed = True
                LOGGER.warning("tasks are not tracked: %s", error)
        return self._client


def _job_id(task_id: str) -> str:
    """The task's id, or one made of it: it is a GUID unless whoever called the task has chosen another."""
    try:
        return str(UUID(task_id))
    except ValueError:
        return str(uuid5(NAMESPACE_URL, f"celery:{task_id}"))
