"""The statuses and events with which a job ends."""

from jobtrack_client.types import EventName, JobStatus

STATUSES: tuple[JobStatus, ...] = ("Completed", "Failed", "Cancelled")
EVENTS: tuple[EventName, ...] = ("jobCompleted", "jobFailed", "jobCancelled")
AFTER_THE_END = frozenset({"log", "metricSample", "quality"})
"""Events that the service still accepts after a job's end."""
