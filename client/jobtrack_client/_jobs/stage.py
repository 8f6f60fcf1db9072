"""A stage of a job."""

import os
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Self

from jobtrack_client._jobs.never_raise import guarded
from jobtrack_client._jobs.progress import Progress, Report
from jobtrack_client._reporting.queued_events import describe_error


@guarded
class Stage:
    """A stage in a `with` statement, also in asynchronous code. `Job.stage` returns it.

    No method waits. A process that is forked during the stage may advance it, but does not end it.
    """

    def __init__(
        self,
        name: str,
        total: int | None,
        report: Report,
        progress: Progress,
        *,
        entered: Callable[["Stage"], None],
        left: Callable[["Stage"], None],
    ) -> None:
        self.name = name
        self.metrics: dict[str, object] = {}
        """Metrics that are sent with the stage's end."""
        self.running: bool = False
        """Whether the code is inside the `with` statement."""
        self.outer: Stage | None = None
        """The stage in which this one began."""
        self._total = total
        self._report = report
        self._progress = progress
        self._entered = entered
        self._left = left
        self._process = 0

    def __enter__(self) -> Self:
        """Report the start of the stage."""
        self._process = os.getpid()
        self._report("stageStarted", {"stage_name": self.name, "total_records": self._total})
        self.running = True
        self._entered(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Report the last progress and the end of the stage. An interrupted stage ends with its job."""
        self.leave()
        if self._process != os.getpid():
            return
        if error is None:
            self._end("stageCompleted", {})
        elif isinstance(error, Exception):
            self._end("stageFailed", {"error": describe_error(error)})

    def leave(self) -> None:
        """Leave the stage without reporting its end, which the job's end implies."""
        self.running = False
        self._left(self)
        self._progress.finish()

    def advance(self, records: int = 1) -> None:
        """Add a number of processed records. This is cheap enough to be called for each record."""
        self._progress.advance(records)

    def reach(self, records: int) -> None:
        """Set the number of records processed so far."""
        self._progress.reach(records)

    def update(
        self,
        progress: float | None = None,
        operation: str | None = None,
        component: str | None = None,
        details: Mapping[str, object] | None = None,
        total: int | None = None,
    ) -> None:
        """Report the progress (0 to 100), the current operation and component, or the total number of records."""
        state = {"operation": operation, "component": component, "details": details, "total_records": total}
        self._progress.update(progress, state)

    def tick(self) -> None:
        """Report delayed progress, if it is due."""
        self._progress.tick()

    def flush(self) -> None:
        """Report delayed progress."""
        self._progress.finish()

    def _end(self, type_: str, data: Mapping[str, object]) -> None:
        records, metrics = self._progress.records, self.metrics
        self._report(type_, {"stage_name": self.name, "records_processed": records, "metrics": metrics, **data})
