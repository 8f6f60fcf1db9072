"""Notes which running jobs have fallen silent, every minute."""

from jobtrack import aws
from jobtrack.invocation import Context, serve
from jobtrack.settings import Settings
from jobtrack.store.jobs import JobStore
from jobtrack.store.timers import TimerStore
from jobtrack.watchdog import Watchdog

_settings = Settings.from_env()
_dynamodb = aws.client("dynamodb")
_watchdog = Watchdog(
    TimerStore(_dynamodb, _settings.jobs_table),
    JobStore(_dynamodb, _settings.jobs_table, _settings.retention_days),
)


def handler(event: dict[str, object], context: Context) -> None:
    """Serve what is due, for as long as the invocation may last."""
    serve(_watchdog.run, context)
