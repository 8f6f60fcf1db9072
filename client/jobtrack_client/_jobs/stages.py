"""The running stages of a job, which of them is current, and their progress."""

import os
import threading
from itertools import count
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

from jobtrack_client._jobs import context
from jobtrack_client._jobs.context_propagation import SCOPE
from jobtrack_client._jobs.progress import Progress
from jobtrack_client._jobs.stage import Stage
from jobtrack_client._reporting.forks.relay import Change
from jobtrack_client._reporting.options import ReporterOptions
from jobtrack_client._reporting.reporter import Reporter
from jobtrack_client._runtime import fork_safety
from jobtrack_client._values.kinds import needed_name

if TYPE_CHECKING:
    from jobtrack_client._jobs.job import Job


class Stages:
    """The stages of one job. `whole` is the progress of a job without stages."""

    def __init__(self, job: "Job", reporter: Reporter, options: ReporterOptions) -> None:
        self._job = job
        self._reporter = reporter
        self._options = options
        self._lock = threading.RLock()
        self._process = os.getpid()
        self._numbers = count()
        self._progresses: WeakValueDictionary[int, Progress] = WeakValueDictionary()
        self._running: tuple[Stage, ...] = ()
        self._common: tuple[Stage, ...] = ()
        self._shared: Stage | None = None
        self.whole: Progress = self._progress(None, None)
        fork_safety.renew(self)

    def make(self, name: str, total: int | None) -> Stage:
        """Return a new stage."""
        name = needed_name(name)
        progress = self._progress(name, total)
        return Stage(name, total, self._reporter.report, progress, entered=self._enter, left=self._leave)

    def current(self) -> Stage | None:
        """Return the current stage of this thread or task.

        A thread belongs to the stage in which it was started. If a thread was started outside any stage, it belongs to
        the stage that began last, unless several stages run in parallel.
        """
        scope = SCOPE.get()
        # The common case comes first and needs no call: all log lines run this code.
        if scope is not None and scope.job is self._job and (stage := scope.stage) is not None and stage.running:
            return stage
        stage = context.innermost(self._job)
        return self._shared if stage is None and not context.knows(self._job) else stage

    def tick(self) -> None:
        """Report delayed progress, if it is due."""
        self.whole.tick()
        for stage in self._running:
            stage.tick()

    def flush(self) -> None:
        """Report delayed progress, also that of forked processes."""
        self._reporter.settle()
        self.whole.finish()
        for stage in self._running:
            stage.flush()

    def change(self, number: int, change: Change) -> None:
        """Apply a change that a forked process reported."""
        if progress := self._progresses.get(number):
            progress.apply(change)

    def forked(self) -> None:
        """Replace the lock, which a thread of the parent may hold."""
        self._lock = threading.RLock()

    def _progress(self, stage: str | None, total: int | None) -> Progress:
        number = next(self._numbers)
        progress = Progress(
            self._reporter.report,
            stage,
            total,
            every=self._options.progress_seconds,
            clock=self._options.clock,
            # Only the forked process that began a stage knows the stage, so it counts the progress itself.
            pass_on=lambda change: ours and self._reporter.change(number, change),
        )
        ours = self._process == os.getpid()
        self._progresses[number] = progress
        return progress

    def _enter(self, stage: Stage) -> None:
        stage.outer = context.innermost(self._job)
        with self._lock:
            self._running = (*self._running, stage)
            if context.knows(self._job):
                self._common = (*self._common, stage)
            self._shared = self._innermost_of_all()
        context.enter(self._job, stage)

    def _leave(self, stage: Stage) -> None:
        self._reporter.settle()
        with self._lock:
            self._running = tuple(other for other in self._running if other is not stage)
            self._common = tuple(other for other in self._common if other is not stage)
            self._shared = self._innermost_of_all()
        context.leave(self._job, stage)

    def _innermost_of_all(self) -> Stage | None:
        around = {id(stage.outer) for stage in self._common}
        innermost = [stage for stage in self._common if id(stage) not in around]
        return innermost[0] if len(innermost) == 1 else None
