"""Notes which running jobs have fallen silent, and keeps what jobs that still report wrote earlier; every minute."""

from jobtrack import aws
from jobtrack.scheduled.invocation import Context, serve
from jobtrack.scheduled.ttl_extender import Keeping
from jobtrack.scheduled.watchdog import Watchdog
from jobtrack.settings import Settings
from jobtrack.store.job_timers import KEEP, TimerStore
from jobtrack.store.jobs import JobStore
from jobtrack.store.ttl_extension import Keeper

_settings = Settings.from_env()
_dynamodb = aws.client("dynamodb")
_jobs = JobStore(_dynamodb, _settings.jobs_table, _settings.retention_days)
_watchdog = Watchdog(TimerStore(_dynamodb, _settings.jobs_table), _jobs)
_keeping = Keeping(
    TimerStore(_dynamodb, _settings.jobs_table, KEEP), Keeper(_dynamodb, _settings.jobs_table, _jobs.retention)
)


def handler(event: dict[str, object], context: Context) -> None:
    """Serve what is due, for as long as the invocation may last: first what is expected within a minute."""
    serve(_watchdog.run, context)
    serve(_keeping.run, context)
