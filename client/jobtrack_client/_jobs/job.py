"""A job that this process runs or reports to."""

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
    """A job in a `with` or `async with` statement. `Client.job` and `Client.attach` return it.

    Only the `with` statement itself, `flush` and `close` wait for the service. No method raises an exception because of
    the service or the network. All methods may be called from any thread, task or forked process.
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
        """Whether the job has begun and is not closed in this process."""
        self.unfinished: Callable[[BaseException | None], None] = self._abandon
        """Called if the interpreter ends before the job, with the exception that ended it."""
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
        """Create the job and report its start: see `start`."""
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Report how the job ended, and wait at most `close_seconds` of the options until all events are acknowledged.

        The job does not end in a process that is attached to it or inherited it by a fork.
        """
        self._left(error)
        self.close()

    async def __aenter__(self) -> Self:
        """Do the same as `with`, without blocking the event loop."""
        self._begin()
        await aside(self._send)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Do the same as `with`, without blocking the event loop."""
        self._left(error)
        await self.aclose()

    def __reduce__(self) -> tuple[Any, ...]:
        """Attach a process to which the job is sent: see `Client.attach`."""
        return reduced(self)

    def start(self) -> Self:
        """Create the job and report its start, waiting at most `create_seconds` of the options.

        Raises:
            JobTrackError: the job is `required`, and the service refused it or could not be reached.
        """
        self._begin()
        self._send()
        return self

    def stage(self, name: str, total: int | None = None) -> Stage:
        """Return a stage with `total` records. It begins with its `with` statement."""
        return self._stages.make(name, total)

    def update(
        self,
        progress: float | None = None,
        operation: str | None = None,
        component: str | None = None,
        details: Mapping[str, object] | None = None,
    ) -> None:
        """Report the progress (0 to 100) of a job without stages, or the current operation and component."""
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
        """Report a log line of the current stage, or of another `stage`. `moment` is its time in seconds since 1970."""
        if stage is None and (current := self._stages.current()) is not None:
            stage = current.name
        if type(message) is not str:
            message = as_text(message)
        copied = None if details is None else self._reporter.copy_details(details)
        time = self._clock() if moment is None else valid_time(moment, self._clock())
        self._reporter.put((_level(level), message, origin(component), origin(stage), copied, time))

    def flush(self, timeout: float = 60.0) -> bool:
        """Wait at most `timeout` seconds until all events are acknowledged or refused. Return whether they are.

        In a forked process, wait until the job's own process has them.
        """
        self._stages.flush()
        return self._reporter.flush(timeout)

    async def aflush(self, timeout: float = 60.0) -> bool:
        """Do the same as `flush`, without blocking the event loop."""
        return await aside(lambda: self.flush(timeout))

    def close(self, timeout: float | None = None, *, wait: bool = True) -> None:
        """Send the remaining events for at most `timeout` seconds (default: `close_seconds`), and report no more.

        Without `wait`, they are sent in the background. The end of the process, or another `close`, waits for them.
        """
        self._stages.flush()
        self.running = False
        context.leave(self)
        try:
            self._reporter.close(timeout, wait=wait)
        finally:
            interrupts.release(self)

    def interrupt(self, reason: str) -> None:
        """Cancel the job because this process is about to end. A resumed job is not cancelled."""
        if self._own and self._reporter.resumed:
            self.log("WARN", f"interrupted: {reason}")
        elif self._own:
            self.cancel(reason)

    async def aclose(self, timeout: float | None = None) -> None:
        """Do the same as `close`, without blocking the event loop."""
        context.leave(self)
        await aside(lambda: self.close(timeout))

    def logging_handler(self, level: int = logging.NOTSET) -> logging.Handler:
        """Return a handler for `logging` that reports records of at least `level` as log lines of this job."""
        return JobLogHandler(self.log, lambda: self._reporter.thread, level)

    @property
    def current_stage(self) -> str | None:
        """The name of the current stage of this thread or task."""
        stage = self._stages.current()
        return stage.name if stage else None

    @property
    def stats(self) -> Stats:
        """The numbers of reported, acknowledged and dropped events, by type.

        They include the events of forked processes. In a forked process, events that were handed over count as
        acknowledged.
        """
        return self._reporter.stats

    @property
    def created(self) -> Mapping[str, Json]:
        """The service's response to the job's creation; empty until there is one."""
        return self._reporter.created

    @property
    def links(self) -> Mapping[str, Json]:
        """The URLs of the job; empty until the service has created it."""
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
        """Whether this process began the job, and therefore ends it."""
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
    """Return the contract's level for a level name of the contract or of `logging`; else INFO."""
    if type(level) is str and level in _LEVELS:
        return _LEVELS[level]
    return _LEVELS.get(as_text(level).upper(), "INFO")
