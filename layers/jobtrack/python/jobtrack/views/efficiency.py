"""How well a job does, in per cent; `None` where too little is known."""

from jobtrack.domain.estimate import completed_seconds, total_seconds
from jobtrack.domain.job import Job
from jobtrack.domain.journal import metric_minutes
from jobtrack.views.usage import memory_limit

_BANDS = ((90, "Excellent"), (70, "Good"), (50, "Fair"))
_MOMENT = 1e-6
"""Seconds, in the place of none."""


def cpu(job: Job) -> float | None:
    """The mean usage of the allocated cores (as Slurm's `seff` has it)."""
    return metric_minutes.mean_usage(job, "cpuUsage")


def memory(job: Job) -> float | None:
    """The peak over what was allocated (as `seff` has it)."""
    peak, limit = metric_minutes.peak_usage(job, "memoryBytes"), memory_limit(job)
    return None if peak is None or not limit else 100 * peak / limit


def processing(job: Job) -> float | None:
    """The mean over the peak rate of records."""
    mean, peak = metric_minutes.mean_usage(job, "recordsPerSecond"), metric_minutes.peak_usage(job, "recordsPerSecond")
    return None if mean is None or not peak else 100 * mean / peak


def stages(job: Job) -> float | None:
    """Expected over actual time of the completed stages, at most 100."""
    expected, took = completed_seconds(job)
    return min(100.0, 100 * expected / max(took, _MOMENT)) if expected else None


def overall(job: Job) -> str | None:
    """In a word, by the mean of the four efficiencies that are known."""
    four = (cpu(job), memory(job), processing(job), stages(job))
    known = [each for each in four if each is not None]
    if not known:
        return None
    mean = sum(known) / len(known)
    return next((word for least, word in _BANDS if mean >= least), "Poor")


def prediction(job: Job, now: int) -> float | None:
    """100 x (1 - |first estimate - latest| / latest) of the whole time, not below 0."""
    latest = total_seconds(job, now)
    if job.first_estimate is None or latest is None:
        return None
    return 100 * max(0.0, 1 - abs(job.first_estimate - latest) / max(latest, _MOMENT))
