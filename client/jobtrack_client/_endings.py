"""How a job ends."""

STATUSES = ("Completed", "Failed", "Cancelled")
EVENTS = ("jobCompleted", "jobFailed", "jobCancelled")
