"""How a job ends."""

STATUSES = ("Completed", "Failed", "Cancelled")
EVENTS = ("jobCompleted", "jobFailed", "jobCancelled")
AFTER_THE_END = frozenset({"log", "metricSample", "quality"})
"""Events that the service still accepts of a job that has ended."""
