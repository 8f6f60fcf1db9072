"""The steps of the job, which report the analysis that runs inside them."""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from jobtrack_client import Job, Stage
from jobtrack_demo.miner import plan
from jobtrack_demo.miner.pace import Pace
from jobtrack_demo.miner.source import InputError
from jobtrack_demo.miner.tally import Tally

LOGGER = logging.getLogger("ProcessMiner")
EXPECTED = (InputError, OSError)
"""Errors that are reported in one line. Any other exception is a bug, and reported with its traceback."""


@dataclass
class Step:
    """A running stage, the reports about it, and its pace."""

    stage: Stage
    tally: Tally
    logger: logging.Logger
    pace: Pace
    total: int | None = None

    def expect(self, total: int) -> None:
        """Set the number of records, which was unknown when the stage began."""
        self.total = total
        self.stage.update(total=total)

    def advance(self, records: int) -> None:
        """Add to the number of finished records, at the job's pace."""
        self.tally.processed[self.stage.name] += records
        self.stage.advance(records)
        if self.total:
            self.pace.reach(plan.share_done(self.stage.name, self.tally.processed[self.stage.name] / self.total))

    def say(self, level: int, message: str, **details: object) -> None:
        """Write one log line."""
        self.logger.log(level, message, extra={"details": details})

    def conclude(self, metrics: Mapping[str, object]) -> None:
        """Add results of the stage, which are reported at its end."""
        self.stage.metrics.update(metrics)
        self.tally.metrics[self.stage.name] = dict(metrics)


@dataclass(frozen=True)
class Reporting:
    """The job's reporter, the worker's own counts, and the pace of the work."""

    job: Job
    tally: Tally
    pace: Pace

    @contextmanager
    def step(self, name: str, component: str, operation: str, total: int | None = None) -> Iterator[Step]:
        """Run a stage; an exception also becomes an ERROR line of the stage."""
        with self.job.stage(name, total) as stage:
            step = Step(stage, self.tally, LOGGER.getChild(component), self.pace, total)
            step.advance(0)
            stage.update(operation=operation, component=step.logger.name)
            step.say(logging.INFO, operation)
            try:
                yield step
            except Exception as error:
                step.logger.error("%s", error, exc_info=not isinstance(error, EXPECTED))
                raise

    @contextmanager
    def logging(self) -> Iterator[None]:
        """Send the job's log lines of every level to the service, and count them."""
        handlers = [self.job.logging_handler(), self.tally.logs]
        LOGGER.setLevel(logging.DEBUG)
        LOGGER.propagate = False
        for handler in handlers:
            LOGGER.addHandler(handler)
        try:
            yield
        finally:
            for handler in handlers:
                LOGGER.removeHandler(handler)

    def warn(self, description: str, **details: object) -> None:
        """Report a warning without a log line."""
        self.job.warning(description, **details)

    def quality(self, score: float, passed: int, failed: int) -> None:
        """Report the results of the validation."""
        self.tally.quality = {"dataQualityScore": score, "validationsPassed": passed, "validationsFailed": failed}
        self.job.quality(score, passed, failed)
