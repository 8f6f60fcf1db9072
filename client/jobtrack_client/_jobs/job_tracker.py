"""The `JobTracker` class of the specification's Python example."""

from collections.abc import Sequence

from jobtrack_client import models
from jobtrack_client._jobs.client import Client
from jobtrack_client.types import EventName, Granularity, Interval, LogLevel


class JobTracker:
    """Tracks the jobs of one project, with the method names of the specification.

    Every method returns the response of the service, and raises a `JobTrackError` when it fails. `client` holds the
    connections.
    """

    def __init__(self, base_url: str, tenant_id: str, project_id: str, token: str) -> None:
        self.client: Client = Client(base_url, token, tenant_id, project_id)

    def get_job_progress(self, job_id: str) -> models.Progress:
        """Return the progress of a job."""
        return self.client.progress(job_id)

    def get_job_logs(self, job_id: str, level: LogLevel = "INFO", limit: int = 1000) -> models.Logs:
        """Return the newest log lines of at least `level`."""
        return self.client.logs(job_id, level=level, limit=limit)

    def get_job_metrics(self, job_id: str, interval: Interval = "5m", include_history: bool = False) -> models.Metrics:
        """Return the resource use and the throughput of a job."""
        return self.client.metrics(job_id, interval=interval, include_history=include_history)

    def get_job_timeline(
        self, job_id: str, include_sub_events: bool = False, granularity: Granularity = "minutes"
    ) -> models.Timeline:
        """Return the events of a job."""
        return self.client.timeline(job_id, granularity=granularity, include_sub_events=include_sub_events)

    def track_multiple_jobs(self, job_ids: Sequence[str], include_metrics: bool = False) -> models.Batch:
        """Return many jobs at once."""
        return self.client.batch(job_ids, include_metrics=include_metrics)

    def subscribe_to_job_events(
        self, job_id: str, webhook_url: str, events: Sequence[EventName] | None = None
    ) -> models.NewSubscription:
        """Push the events of a job to a webhook. The default is six events that the service chooses."""
        return self.client.subscribe(
            job_id, subscription_type="webhook", webhook_url=webhook_url, events=events or None
        )
