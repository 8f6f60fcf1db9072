"""Reports how a job ends: the status and the reason."""

from collections.abc import Callable, Mapping
from itertools import count
from typing import Any

from jobtrack_client._jobs.never_raise import guard
from jobtrack_client._jobs.progress import Report
from jobtrack_client._jobs.reports import Reports
from jobtrack_client._reporting.queued_events import describe_error
from jobtrack_client._values.json_values import as_text, plain

_INTERRUPTED = {
    "KeyboardInterrupt": "interrupted (KeyboardInterrupt)",
    "CancelledError": "the task was cancelled (CancelledError)",
    "GreenletExit": "the greenlet was killed (GreenletExit)",
    "GeneratorExit": "the generator around it was closed (GeneratorExit)",
}


class Ends(Reports):
    """Reports the end of a job. Only the first call counts.

    `settle` is called before the end is reported, and `warn` adds a line to the job's log.
    """

    def __init__(self, report: Report, settle: Callable[[], None], warn: Callable[[str], None]) -> None:
        super().__init__(report)
        self.metrics: dict[str, object] = {}
        """Metrics that are sent with the job's end."""
        self._settle = guard(settle)
        self._warn = warn
        self._ends = count()

    def complete(self) -> None:
        """Report that the job completed."""
        self._end("jobCompleted", {})

    def fail(self, error: BaseException | str, **more: object) -> None:
        """Report that the job failed. `more` is sent with the error's message."""
        self._end("jobFailed", {"error": {**describe_error(error), **more}})

    def cancel(self, reason: str | None = None) -> None:
        """Report that the job was cancelled. The reason becomes a log line and a metric."""
        self._end("jobCancelled", {}, reason)

    def conclude(self, error: BaseException | None) -> None:
        """Report the end of code that raised `error`: failed, cancelled, or completed (None and `sys.exit(0)`)."""
        if error is None or (isinstance(error, SystemExit) and not error.code):
            self.complete()
        elif isinstance(error, SystemExit):
            self.fail(**_exit(error.code))
        elif isinstance(error, Exception):
            self.fail(error)
        else:
            name = type(error).__name__
            self.cancel(_INTERRUPTED.get(name, f"{name}: {as_text(error)}"))

    def _end(self, type_: str, data: Mapping[str, object], reason: str | None = None) -> None:
        if next(self._ends) == 0:
            self._settle()
            if reason is not None:
                self._warn(f"cancelled: {as_text(reason)}")
            metrics = plain(self.metrics)
            if reason is not None and isinstance(metrics, dict):
                metrics["reason"] = as_text(reason)
            self._report(type_, {**data, "metrics": metrics})


def _exit(code: object) -> dict[str, Any]:
    """Return the error of `sys.exit(code)`. If `code` is a text, Python prints it and exits with 1."""
    if isinstance(code, int):
        return {"error": f"exit code {code}", "type": "SystemExit", "exitCode": code}
    return {"error": as_text(code), "type": "SystemExit", "exitCode": 1}
