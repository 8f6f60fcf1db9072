"""Notes which running jobs have fallen silent, every minute."""

from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

from jobtrack import aws
from jobtrack.settings import Settings
from jobtrack.store.jobs import JobStore
from jobtrack.store.timers import TimerStore
from jobtrack.watchdog import Watchdog

THREADS = 8
SPARE_MILLISECONDS = 15_000
"""What a page of timers may take."""


class Context(Protocol):
    """What Lambda tells of an invocation."""

    def get_remaining_time_in_millis(self) -> int:
        """How long the invocation may still take."""


_settings = Settings.from_env()
_dynamodb = aws.client("dynamodb")
_watchdog = Watchdog(
    TimerStore(_dynamodb, _settings.jobs_table),
    JobStore(_dynamodb, _settings.jobs_table, _settings.retention_days),
)


def handler(event: dict[str, object], context: Context) -> None:
    """Serve what is due, for as long as the invocation may last."""
    with ThreadPoolExecutor(THREADS) as pool:
        _watchdog.run(lambda: context.get_remaining_time_in_millis() > SPARE_MILLISECONDS, pool.map)
