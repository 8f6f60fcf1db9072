"""A job that a worker runs, and all that it may report of it."""

import logging
import threading
from collections.abc import Mapping
from types import TracebackType
from typing import Self

from jobtrack_client._events import describe_error
from jobtrack_client._logging import JobLogHandler
from jobtrack_client._plain import Json, as_text
from jobtrack_client._progress import Progress
from jobtrack_client._reporter import Reporter, ReporterOptions
from jobtrack_client._stage import Stage
from jobtrack_client._stats import Stats

_LEVELS = {"DEBUG": "DEBUG", "WARN": "WARN", "WARNING": "WARN", "ERROR": "ERROR", "CRITICAL": "ERROR", "FATAL": "ERROR"}


class Job:
    """Reports one job; to be used in a `with` statement, made by `Client.job`.

    No call but the `with` itself waits for the service, and none raises for what the service or the network does.
    """

    def __init__(
        self,
        job_id: str,
        started: Mapping[str, object],
        reporter: Reporter,
        options: ReporterOptions,
        *,
        required: bool,
    ) -> None:
        self.job_id = job_id
        self.metrics: dict[str, object] = {}
        """Sent with the job's end."""
        self._started = started
        self._reporter = reporter
        self._options = options
        self._required = required
        self._lock = threading.RLock()
        self._stages: tuple[Stage, ...] = ()
        self._progress = self._new_progress(None, None)
        self._ended = False

    def __enter__(self) -> Self:
        """Create the job and report that it started: see `start`."""
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Report how the job ended, and wait until all is acknowledged, at most for the options' `close_seconds`."""
        if error is None or (isinstance(error, SystemExit) and not error.code):
            self.complete()
        elif isinstance(error, Exception | SystemExit):
            self.fail(error)
        else:
            self.cancel()
        self.close()

    def start(self) -> Self:
        """Create the job and report that it started; an unreachable service is not waited for.

        Raises:
            JobTrackError: only if `required` was asked for: the service refused the job or stayed away.
        """
        self._report("jobStarted", self._started)
        self._reporter.start(self._tick, self._required)
        return self

    def stage(self, name: str, total: int | None = None) -> Stage:
        """A stage, of so many records in total, that begins with its `with` statement."""
        progress = self._new_progress(name, total)
        return Stage(name, total, self._report, progress, entered=self._enter, left=self._leave)

    def skip_stage(self, name: str) -> None:
        """A stage of the plan is not needed."""
        self._report("stageSkipped", {"stageName": name})

    def update(
        self,
        progress: float | None = None,
        operation: str | None = None,
        component: str | None = None,
        details: Mapping[str, object] | None = None,
    ) -> None:
        """Tell the percentage (0 to 100) of a job without stages, what is being done and by what."""
        self._progress.update(progress, {"operation": operation, "component": component, "details": details})

    def log(
        self,
        level: str,
        message: str,
        *,
        component: str | None = None,
        stage: str | None = None,
        details: Mapping[str, object] | None = None,
        moment: float | None = None,
    ) -> None:
        """A log line of DEBUG, INFO (and what is none of these), WARN or ERROR, of the stage that runs."""
        name = _LEVELS.get(as_text(level).upper(), "INFO")
        where = {"component": component or None, "stage": stage or self.current_stage}
        self._report("log", {"level": name, "message": as_text(message), **where, "details": details}, moment)

    def milestone(self, description: str, **details: object) -> None:
        """Something was reached."""
        self._note("milestone", description, details)

    def warning(self, description: str, **details: object) -> None:
        """Something is not as it should be."""
        self._note("warning", description, details)

    def error(self, description: str, **details: object) -> None:
        """Something went wrong that does not end the job."""
        self._note("error", description, details)

    def sample(self, **measures: float | None) -> None:
        """Resource use, by the names of `metricSample`: cpuUsage (%), memoryBytes, …; bytes are totals so far."""
        self._report("metricSample", measures)

    def quality(
        self,
        dataQualityScore: float | None = None,
        validationsPassed: int | None = None,
        validationsFailed: int | None = None,
    ) -> None:
        """What the job's own validation found; the score is 0 to 100."""
        counts = {"validationsPassed": validationsPassed, "validationsFailed": validationsFailed}
        self._report("quality", {"dataQualityScore": dataQualityScore, **counts})

    def heartbeat(self) -> None:
        """The worker lives."""
        self._report("heartbeat", {})

    def resource_allocated(self, **resource: object) -> None:
        """The job got a resource: resourceType, resourceId, resourceName, status."""
        self._report("resourceAllocated", resource)

    def resource_released(self, **resource: object) -> None:
        """The job gave a resource back."""
        self._report("resourceReleased", resource)

    def blocked(self, condition: str) -> None:
        """The job waits for something."""
        self._report("blocked", {"condition": condition})

    def unblocked(self, condition: str, resolution: str | None = None) -> None:
        """The job no longer waits for it."""
        self._report("unblocked", {"condition": condition, "resolution": resolution})

    def complete(self) -> None:
        """The job is done: the last that it reports of its status."""
        self._end("jobCompleted", {})

    def fail(self, error: BaseException | str) -> None:
        """The job failed."""
        self._end("jobFailed", {"error": describe_error(error)})

    def cancel(self) -> None:
        """The job was interrupted."""
        self._end("jobCancelled", {})

    def flush(self, timeout: float = 60.0) -> bool:
        """Wait until all that was reported is acknowledged, or refused for good; whether it is within `timeout` s."""
        self._flush_progress()
        return self._reporter.flush(timeout)

    def close(self, timeout: float | None = None) -> None:
        """Send what waits for at most `timeout` seconds (default: the options' `close_seconds`), and report no more."""
        self._flush_progress()
        self._reporter.close(timeout)

    def logging_handler(self, level: int = logging.NOTSET) -> logging.Handler:
        """A handler for `logging` that reports records of at least `level` as log lines of this job."""
        return JobLogHandler(self.log, lambda: self._reporter.thread, level)

    @property
    def current_stage(self) -> str | None:
        """The name of the stage that began last of those that run."""
        stages = self._stages
        return stages[-1].name if stages else None

    @property
    def stats(self) -> Stats:
        """Events reported, acknowledged and dropped so far, by type."""
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

    def _report(self, type_: str, data: Mapping[str, object], moment: float | None = None) -> None:
        self._reporter.report(type_, data, moment)

    def _note(self, type_: str, description: str, details: Mapping[str, object]) -> None:
        self._report(type_, {"description": as_text(description), "details": details or None})

    def _end(self, type_: str, data: Mapping[str, object]) -> None:
        with self._lock:
            ended, self._ended = self._ended, True
        if not ended:
            self._flush_progress()
            self._report(type_, {**data, "metrics": self.metrics or None})

    def _new_progress(self, stage: str | None, total: int | None) -> Progress:
        return Progress(
            self._report,
            stage,
            total,
            every=self._options.progress_seconds,
            clock=self._options.clock,
            here=self._reporter.here,
        )

    def _enter(self, stage: Stage) -> None:
        with self._lock:
            self._stages = (*self._stages, stage)

    def _leave(self, stage: Stage) -> None:
        with self._lock:
            self._stages = tuple(other for other in self._stages if other is not stage)

    def _tick(self) -> None:
        self._progress.tick()
        for stage in self._stages:
            stage.tick()

    def _flush_progress(self) -> None:
        self._progress.finish()
        for stage in self._stages:
            stage.flush()
