"""A stage of a job, while it runs."""

import os
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Self

from jobtrack_client._jobs.guard import guarded
from jobtrack_client._jobs.progress import Progress, Report
from jobtrack_client._reporting.queued_events import describe_error


@guarded
class Stage:
    """Reports its start, its progress and its end; to be used in a `with` statement, in asynchronous code too.

    No call waits for anything. A process that is forked while it runs may advance it; who began it ends it.
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
        """Sent with the stage's end."""
        self.running: bool = False
        """Whether the `with` statement is under way."""
        self.outer: Stage | None = None
        """The one that it began in."""
        self._total = total
        self._report = report
        self._progress = progress
        self._entered = entered
        self._left = left
        self._process = 0

    def __enter__(self) -> Self:
        """Report that the stage began."""
        self._process = os.getpid()
        self._report("stageStarted", {"stage_name": self.name, "total_records": self._total})
        self.running = True
        self._entered(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Report the last progress and how the stage ended; an interrupted one is left to the job's own end."""
        self.leave()
        if self._process != os.getpid():
            return
        if error is None:
            self._end("stageCompleted", {})
        elif isinstance(error, Exception):
            self._end("stageFailed", {"error": describe_error(error)})

    def leave(self) -> None:
        """End the `with` statement without a word of how: the job's own end will tell."""
        self.running = False
        self._left(self)
        self._progress.finish()

    def advance(self, records: int = 1) -> None:
        """So many more records are done; cheap enough to be called for each."""
        self._progress.advance(records)

    def reach(self, records: int) -> None:
        """So many records are done in all."""
        self._progress.reach(records)

    def update(
        self,
        progress: float | None = None,
        operation: str | None = None,
        component: str | None = None,
        details: Mapping[str, object] | None = None,
        total: int | None = None,
    ) -> None:
        """Tell the percentage (0 to 100), what is being done, by what, or a total that is known by now."""
        state = {"operation": operation, "component": component, "details": details, "total_records": total}
        self._progress.update(progress, state)

    def tick(self) -> None:
        """Report progress that was held back, if it is time."""
        self._progress.tick()

    def flush(self) -> None:
        """Report progress that was held back."""
        self._progress.finish()

    def _end(self, type_: str, data: Mapping[str, object]) -> None:
        records, metrics = self._progress.records, self.metrics
        self._report(type_, {"stage_name": self.name, "records_processed": records, "metrics": metrics, **data})
