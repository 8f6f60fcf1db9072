"""How efficient a job is, in per cent; None if too little was reported."""

from jobtrack.domain.estimate import completed_seconds, total_seconds
from jobtrack.domain.job import Job
from jobtrack.domain.journal import metric_minutes
from jobtrack.times import Micros
from jobtrack.views.responses.metrics import Efficiency
from jobtrack.views.usage import memory_limit

_RATINGS: tuple[tuple[int, Efficiency], ...] = ((90, "Excellent"), (70, "Good"), (50, "Fair"))
_SHORTEST_SECONDS = 1e-6
"""The divisor for a duration of 0."""


def cpu(job: Job) -> float | None:
    """Return the mean usage of the allocated cores, as Slurm's `seff` defines it."""
    return metric_minutes.mean_usage(job, "cpuUsage")


def memory(job: Job) -> float | None:
    """Return the peak usage divided by the allocated memory, as Slurm's `seff` defines it."""
    peak, limit = metric_minutes.peak_usage(job, "memoryBytes"), memory_limit(job)
    return None if peak is None or not limit else 100 * peak / limit


def processing(job: Job) -> float | None:
    """Return the mean rate of records divided by the peak rate."""
    mean, peak = metric_minutes.mean_usage(job, "recordsPerSecond"), metric_minutes.peak_usage(job, "recordsPerSecond")
    return None if mean is None or not peak else 100 * mean / peak


def stages(job: Job) -> float | None:
    """Return the expected divided by the actual duration of the completed stages, at most 100."""
    expected, actual = completed_seconds(job)
    return min(100.0, 100 * expected / max(actual, _SHORTEST_SECONDS)) if expected else None


def overall(job: Job) -> Efficiency | None:
    """Return a rating by the mean of the four efficiencies, without unknown ones."""
    efficiencies = (cpu(job), memory(job), processing(job), stages(job))
    known = [efficiency for efficiency in efficiencies if efficiency is not None]
    if not known:
        return None
    mean = sum(known) / len(known)
    return next((rating for least, rating in _RATINGS if mean >= least), "Poor")


def prediction(job: Job, now: Micros) -> float | None:
    """Return 100 x (1 - |first estimate - latest| / latest) of the whole duration, at least 0; `now` in µs."""
    latest = total_seconds(job, now)
    if job.first_estimate is None or latest is None:
        return None
    return 100 * max(0.0, 1 - abs(job.first_estimate - latest) / max(latest, _SHORTEST_SECONDS))
