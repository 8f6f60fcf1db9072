"""Finds silent and expired jobs, and extends the TTL of the older items of live jobs. Runs every minute."""

from jobtrack import aws
from jobtrack.invocation import Context, run
from jobtrack.scheduled.job_expirer import JobExpirer
from jobtrack.scheduled.ttl_extender import TtlExtender
from jobtrack.scheduled.watchdog import Watchdog
from jobtrack.settings import Settings
from jobtrack.store.jobs import JobStore
from jobtrack.store.timers import EXTENSION, HEARTBEAT, RETENTION, TimerStore
from jobtrack.store.ttl_extension import TtlStore

_settings = Settings.from_env()
_dynamodb = aws.client("dynamodb")
_jobs = JobStore(_dynamodb, _settings.jobs_table, _settings.retention_days)
_kept_seconds = _jobs.retention.seconds
_watchdog = Watchdog(TimerStore(_dynamodb, _settings.jobs_table, HEARTBEAT, _kept_seconds), _jobs)
_job_expirer = JobExpirer(TimerStore(_dynamodb, _settings.jobs_table, RETENTION, _kept_seconds), _jobs)
_ttl_extender = TtlExtender(
    TimerStore(_dynamodb, _settings.jobs_table, EXTENSION, _kept_seconds),
    TtlStore(_dynamodb, _settings.jobs_table, _jobs.retention),
)


def handler(event: dict[str, object], context: Context) -> None:
    """Serve the due timers until the invocation's time is nearly over: first the heartbeats, which are urgent."""
    run(_watchdog.run, context)
    run(_job_expirer.run, context)
    run(_ttl_extender.run, context)
