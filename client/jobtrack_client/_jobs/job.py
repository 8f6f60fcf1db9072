"""A job that a worker runs, and all that it may report of it."""

import logging
import os
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Self

from jobtrack_client._jobs import context, interrupts
from jobtrack_client._jobs.child_processes import reduced
from jobtrack_client._jobs.endings import Ends
from jobtrack_client._jobs.log_handler import JobLogHandler
from jobtrack_client._jobs.stage import Stage
from jobtrack_client._jobs.stages import Stages
from jobtrack_client._reporting.options import ReporterOptions
from jobtrack_client._reporting.queued_events import origin, valid_time
from jobtrack_client._reporting.reporter import Reporter
from jobtrack_client._reporting.stats import Stats
from jobtrack_client._runtime import exit_hooks
from jobtrack_client._runtime.threads import aside
from jobtrack_client._values.json_values import Json, as_text
from jobtrack_client.types import LogLevel

_LEVELS: dict[str, LogLevel] = {
    "INFO": "INFO",
    "DEBUG": "DEBUG",
    "WARN": "WARN",
    "WARNING": "WARN",
    "ERROR": "ERROR",
    "CRITICAL": "ERROR",
    "FATAL": "ERROR",
}


class Job(Ends):
    """Reports one job; to be used in a `with` or `async with` statement, made by `Client.job` or `Client.attach`.

    No call but the `with` itself, `flush` and `close` waits for the service, and none raises for what the service or
    the network does. All may be called from any thread or task, and from a process forked from the job's.
    """

    def __init__(
        self,
        job_id: str,
        started: Mapping[str, object] | None,
        reporter: Reporter,
        options: ReporterOptions,
        *,
        required: bool,
        stages: Stages | None = None,
    ) -> None:
        self._stages = stages or Stages(self, reporter, options)
        super().__init__(reporter.report, self._stages.flush, lambda text: self.log("WARN", text))
        self.job_id = job_id
        self.running: bool = False
        """Whether it has begun and was not closed, in this process."""
        self.unfinished: Callable[[BaseException | None], None] = self._abandon
        """Called when the interpreter ends before the job, with the exception that ends it."""
        self._earlier = exit_hooks.uncaught()
        self._started = started
        self._reporter = reporter
        self._options = options
        self._clock = options.clock
        self._required = required
        self._process = os.getpid()
        if stages is None:
            reporter.exiting = self._exiting
            reporter.tick, reporter.changed = self._stages.tick, self._stages.change

    def __enter__(self) -> Self:
        """Create the job and report that it started: see `start`."""
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Report how the job ended, and wait until all is acknowledged, at most for the options' `close_seconds`.

        A job that was attached to, or that a forked process inherited, does not end by it.
        """
        self._left(error)
        self.close()

    async def __aenter__(self) -> Self:
        """As `with`, while the event loop goes on."""
        self._begin()
        await aside(self._send)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """As `with`, while the event loop goes on."""
        self._left(error)
        await self.aclose()

    def __reduce__(self) -> tuple[Any, ...]:
        """Sent to another process it is attached to there: see `Client.attach`."""
        return reduced(self)

    def start(self) -> Self:
        """Create the job and report that it started; an unreachable service is not waited for.

        Raises:
            JobTrackError: only if `required` was asked for: the service refused the job or stayed away.
        """
        self._begin()
        self._send()
        return self

    def stage(self, name: str, total: int | None = None) -> Stage:
        """A stage, of so many records in total, that begins with its `with` statement."""
        return self._stages.make(name, total)

    def update(
        self,
        progress: float | None = None,
        operation: str | None = None,
        component: str | None = None,
        details: Mapping[str, object] | None = None,
    ) -> None:
        """Tell the percentage (0 to 100) of a job without stages, what is being done and by what."""
        self._stages.whole.update(progress, {"operation": operation, "component": component, "details": details})

    def log(
        self,
        level: LogLevel,
        message: str,
        *,
        component: str | None = None,
        stage: str | None = None,
        details: Mapping[str, object] | None = None,
        moment: float | None = None,
    ) -> None:
        """A log line of DEBUG, INFO (and what is none of these), WARN or ERROR, of the stage that this code is in."""
        if stage is None and (current := self._stages.current()) is not None:
            stage = current.name
        if type(message) is not str:
            message = as_text(message)
        known = None if details is None else self._reporter.keep(details)
        time = self._clock() if moment is None else valid_time(moment, self._clock())
        self._reporter.put((_level(level), message, origin(component), origin(stage), known, time))

    def flush(self, timeout: float = 60.0) -> bool:
        """Wait until all that was reported is acknowledged, or refused for good; whether it is within `timeout` s.

        In a forked process: until the job's own process has it.
        """
        self._stages.flush()
        return self._reporter.flush(timeout)

    async def aflush(self, timeout: float = 60.0) -> bool:
        """As `flush`, while the event loop goes on."""
        return await aside(lambda: self.flush(timeout))

    def close(self, timeout: float | None = None, *, wait: bool = True) -> None:
        """Send what waits for at most `timeout` seconds (default: the options' `close_seconds`), and report no more.

        Without `wait` it is sent while the process goes on; its end, or another `close`, waits for it.
        """
        self._stages.flush()
        self.running = False
        context.leave(self)
        try:
            self._reporter.close(timeout, wait=wait)
        finally:
            interrupts.release(self)

    def interrupt(self, reason: str) -> None:
        """This process is about to be ended, and with it the job, unless another process may go on with it."""
        if self._own and self._reporter.resumed:
            self.log("WARN", f"interrupted: {reason}")
        elif self._own:
            self.cancel(reason)

    async def aclose(self, timeout: float | None = None) -> None:
        """As `close`, while the event loop goes on."""
        context.leave(self)
        await aside(lambda: self.close(timeout))

    def logging_handler(self, level: int = logging.NOTSET) -> logging.Handler:
        """A handler for `logging` that reports records of at least `level` as log lines of this job."""
        return JobLogHandler(self.log, lambda: self._reporter.thread, level)

    @property
    def current_stage(self) -> str | None:
        """The name of the stage that this thread or task is in."""
        stage = self._stages.current()
        return stage.name if stage else None

    @property
    def stats(self) -> Stats:
        """Events that this process reported, and that are acknowledged and dropped so far, by type.

        Those of forked processes are counted too; in a forked process, acknowledged is what was handed over.
        """
        return self._reporter.stats

    @property
    def created(self) -> Mapping[str, Json]:
        """The service's answer to the job's creation; empty while there is none."""
        return self._reporter.created

    @property
    def links(self) -> Mapping[str, Json]:
        """Where the job can be read; empty until the service has created it."""
        links = self.created.get("links")
        return links if isinstance(links, dict) else {}

    def _begin(self) -> None:
        if self.running:
            return
        context.enter(self)
        self.running = True
        interrupts.guard(self)
        if self._started is not None:
            self._reporter.begin(self._started)

    def _send(self) -> None:
        try:
            self._reporter.start(self._required)
        except BaseException:
            self.running = False
            raise

    @property
    def _own(self) -> bool:
        """Whether this process began the job, and so ends it."""
        return self._started is not None and self._process == os.getpid()

    def _left(self, error: BaseException | None) -> None:
        if self._own:
            self.conclude(error)

    def _exiting(self) -> None:
        if self.running and self._own:
            self.unfinished(exit_hooks.uncaught(self._earlier))

    def _abandon(self, error: BaseException | None) -> None:
        if error is not None:
            self.conclude(error)
        else:
            self.interrupt("the program ended before the job")


def _level(level: object) -> LogLevel:
    """Return the contract's level for a name, which may be one of `logging`; INFO for any other name."""
    if type(level) is str and level in _LEVELS:
        return _LEVELS[level]
    return _LEVELS.get(as_text(level).upper(), "INFO")
