"""The sums over a project's open jobs, which are queued or running."""

from collections.abc import Sequence

from msgspec import Struct

from jobtrack.domain.job import PRIORITIES


class QueuedSum(Struct, frozen=True):
    """The queued jobs of one priority.

    Args:
        jobs: the number of jobs.
        seconds: the sum of the known expected durations.
        unknown: the number of jobs without an expected duration.
    """

    jobs: int = 0
    seconds: int = 0
    unknown: int = 0


class OpenJobs(Struct, frozen=True):
    """The queued jobs by priority, in the order of `PRIORITIES`; the number of running jobs, and their cores."""

    queued: Sequence[QueuedSum] = tuple(QueuedSum() for _ in PRIORITIES)
    running: int = 0
    cores: float = 0
