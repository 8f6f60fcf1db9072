"""The class of the specification's Python example, by the client."""

from collections.abc import Sequence

from jobtrack_client import models
from jobtrack_client._jobs.client import Client
from jobtrack_client.types import EventName, Granularity, Interval, LogLevel


class JobTracker:
    """Tracks the jobs of one project, by the names of the specification.

    Answers are those of the service; where it refuses, a `JobTrackError` is raised. `client` holds the connections.
    """

    def __init__(self, base_url: str, tenant_id: str, project_id: str, token: str) -> None:
        self.client: Client = Client(base_url, token, tenant_id, project_id)

    def get_job_progress(self, job_id: str) -> models.Progress:
        """How far the job has come."""
        return self.client.progress(job_id)

    def get_job_logs(self, job_id: str, level: LogLevel = "INFO", limit: int = 1000) -> models.Logs:
        """The newest log lines of at least a level."""
        return self.client.logs(job_id, level=level, limit=limit)

    def get_job_metrics(self, job_id: str, interval: Interval = "5m", include_history: bool = False) -> models.Metrics:
        """What the job uses and how fast it is."""
        return self.client.metrics(job_id, interval=interval, include_history=include_history)

    def get_job_timeline(
        self, job_id: str, include_sub_events: bool = False, granularity: Granularity = "minutes"
    ) -> models.Timeline:
        """What happened."""
        return self.client.timeline(job_id, granularity=granularity, include_sub_events=include_sub_events)

    def track_multiple_jobs(self, job_ids: Sequence[str], include_metrics: bool = False) -> models.Batch:
        """Many jobs at once."""
        return self.client.batch(job_ids, include_metrics=include_metrics)

    def subscribe_to_job_events(
        self, job_id: str, webhook_url: str, events: Sequence[EventName] | None = None
    ) -> models.NewSubscription:
        """Have the job's events pushed to a webhook; without `events` the service's own six."""
        return self.client.subscribe(
            job_id, subscription_type="webhook", webhook_url=webhook_url, events=events or None
        )
