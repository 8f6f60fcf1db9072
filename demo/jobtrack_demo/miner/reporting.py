"""The steps of the job, which report the analysis that runs inside them."""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from jobtrack_client import Job, Stage
from jobtrack_demo.miner.source import InputError
from jobtrack_demo.miner.tally import Tally

LOGGER = logging.getLogger("ProcessMiner")
EXPECTED = (InputError, OSError)
"""Errors that are reported in one line. Any other exception is a bug, and reported with its traceback."""


@dataclass(frozen=True)
class Step:
    """A running stage, and the reports about it."""

    stage: Stage
    tally: Tally
    logger: logging.Logger

    def advance(self, records: int) -> None:
        """Add to the number of finished records."""
        self.tally.processed[self.stage.name] += records
        self.stage.advance(records)

    def say(self, level: int, message: str, **details: object) -> None:
        """Write one log line."""
        self.logger.log(level, message, extra={"details": details})

    def conclude(self, metrics: Mapping[str, object]) -> None:
        """Add results of the stage, which are reported at its end."""
        self.stage.metrics.update(metrics)
        self.tally.metrics[self.stage.name] = dict(metrics)


@dataclass(frozen=True)
class Reporting:
    """The job's reporter and the worker's own counts."""

    job: Job
    tally: Tally

    @contextmanager
    def step(self, name: str, component: str, operation: str, total: int | None = None) -> Iterator[Step]:
        """Run a stage; an exception also becomes an ERROR line of the stage."""
        with self.job.stage(name, total) as stage:
            step = Step(stage, self.tally, LOGGER.getChild(component))
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
