"""The surrounding job, which replaces a job that this process would otherwise create."""

import os
import traceback
from collections.abc import Mapping

from jobtrack_client._jobs import context
from jobtrack_client._jobs.job import Job
from jobtrack_client._jobs.stages import Stages
from jobtrack_client._reporting.options import ReporterOptions
from jobtrack_client._reporting.queued_events import describe_error
from jobtrack_client._reporting.reporter import Reporter


class JoinedJob(Job):
    """Adds stages and log lines to the surrounding job. A failure or cancellation becomes a log line."""

    def __init__(
        self, name: str, job_id: str, reporter: Reporter, options: ReporterOptions, stages: Stages | None = None
    ) -> None:
        super().__init__(job_id, None, reporter, options, required=False, stages=stages)
        self._name = name

    def complete(self) -> None:
        """Report nothing, because the surrounding job goes on."""

    def fail(self, error: BaseException | str, **more: object) -> None:
        """Report the error as a log line."""
        if next(self._ends) == 0:
            described = {**describe_error(error), **more}
            self.log("ERROR", f"{self._name}: {_text(described)}", details=more | _traceback(error))

    def cancel(self, reason: str | None = None) -> None:
        """Report the reason as a log line."""
        if next(self._ends) == 0 and reason is not None:
            self._warn(f"{self._name}: cancelled: {reason}")

    @property
    def _own(self) -> bool:
        return self._process == os.getpid()


class SharedJob(JoinedJob):
    """A joined job whose surrounding job runs in this process, and sends its events."""

    def __init__(self, name: str, around: Job) -> None:
        super().__init__(name, around.job_id, around._reporter, around._options, around._stages)
        self._around = around

    def close(self, timeout: float | None = None, *, wait: bool = True) -> None:
        """Report no more events. The surrounding job goes on."""
        self._stages.flush()
        self.running = False
        context.leave(self._around)

    async def aclose(self, timeout: float | None = None) -> None:
        """Do the same as `close`, which does not wait."""
        self.close()

    def _begin(self) -> None:
        self.running = True
        context.enter(self._around)

    def _send(self) -> None:
        """Do nothing, because the surrounding job sends the events."""


def _text(error: Mapping[str, object]) -> str:
    return ": ".join(str(error[name]) for name in ("type", "message") if name in error)


def _traceback(error: BaseException | str) -> dict[str, object]:
    return {} if isinstance(error, str) else {"exception": "".join(traceback.format_exception(error)).rstrip()}
