"""The current job in processes that `multiprocessing` starts by its methods spawn and forkserver.

The parent pickles its configuration for such a process. One member of the configuration is pickled as the current job.
Like a forked process, the new process reports through the job's own process, so that nothing is lost when the new
process is terminated.
"""

import pickle
import sys
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from jobtrack_client._jobs import context
from jobtrack_client._runtime.log import LOGGER

if TYPE_CHECKING:
    from jobtrack_client._jobs.job import Job


class HandedDown(NamedTuple):
    """A job as it is sent to another process: the settings of its client, and a socket to report through."""

    job_id: str
    settings: bytes
    writer: Any
    """A `DupFd` of `multiprocessing`, or None."""


class CurrentJob:
    """Pickles the current job. In the new process, it holds the job to report to."""

    KEY = "jobtrack"

    def __init__(self, handed_down: HandedDown | None = None) -> None:
        self._handed_down = handed_down

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the current job. If there is no job, pickle None: the new process need not import this package."""
        try:
            job = context.current_job()
            return (type(None), ()) if job is None else (CurrentJob, (_hand_down(job),))
        except Exception:  # the process itself does not need it
            LOGGER.warning("a new process will not know the current job", exc_info=True)
            return type(None), ()

    @cached_property
    def job(self) -> "Job | None":
        """The job that this process is attached to; None in the process that began it."""
        if self._handed_down is None:
            return None
        try:
            return _adopted(self._handed_down)
        except Exception:  # as above
            LOGGER.warning("this process cannot report to the job of its parent", exc_info=True)
            return None


def inherited_job() -> "Job | None":
    """Return the job that was current when this process was started."""
    process = sys.modules.get("multiprocessing.process")
    if process is None or process.parent_process() is None:
        return None
    inherited = process.current_process()._config.get(CurrentJob.KEY)
    return inherited.job if isinstance(inherited, CurrentJob) else None


def reduced(job: "Job") -> tuple[Any, ...]:
    """Return a job's `__reduce__`.

    Raises:
        TypeError: the token callable of its client cannot be pickled.
    """
    try:
        return _attached, (job.job_id, pickle.dumps(job._reporter.settings))
    except Exception as error:
        raise TypeError(
            f"the token callable of a Job that is sent to another process must be picklable: {error}"
        ) from error


def _attached(job_id: str, settings: bytes) -> "Job":
    """Return the inherited job, the job if it runs in this process, or else a job that is attached to it."""
    inherited = inherited_job()
    if inherited is not None and inherited.job_id == job_id:
        return inherited
    return context.running(job_id) or _attach(job_id, settings).start()


def _hand_down(job: "Job") -> HandedDown:
    try:
        settings = pickle.dumps(job._reporter.settings)
    except Exception:  # a token callable cannot be pickled: the new process finds its own settings
        settings = pickle.dumps(None)
    return HandedDown(job.job_id, settings, _duplicate(job._reporter.writer()))


def _duplicate(descriptor: int | None) -> Any:
    if descriptor is not None and sys.platform != "win32":
        from multiprocessing.reduction import DupFd

        return DupFd(descriptor)
    return None


def _adopted(handed_down: HandedDown) -> "Job":
    job = _attach(handed_down.job_id, handed_down.settings)
    if handed_down.writer is not None:
        job._reporter.report_through(handed_down.writer.detach())
    return job.start()


def _attach(job_id: str, settings: bytes) -> "Job":
    from jobtrack_client._jobs.client import Client

    # The parent process made this pickle.
    given = pickle.loads(settings)  # noqa: S301 # nosec B301
    client = Client(given.base_url, given.token, given.tenant_id, given.project_id) if given else Client()
    return client.attach(job_id)
