"""Notes which subscriptions have expired, every minute."""

from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

from jobtrack import aws
from jobtrack.push.endings import Endings
from jobtrack.push.expirer import Expirer
from jobtrack.push.expiry import ExpiryTable
from jobtrack.push.subscription_table import SubscriptionTable
from jobtrack.settings import Settings

THREADS = 8
SPARE_MILLISECONDS = 15_000
"""What a page of timers may take."""


class Context(Protocol):
    """What Lambda tells of an invocation."""

    def get_remaining_time_in_millis(self) -> int:
        """How long the invocation may still take."""


_settings = Settings.from_env()
_dynamodb = aws.client("dynamodb")
_expirer = Expirer(
    ExpiryTable(_dynamodb, _settings.subscriptions_table),
    Endings(SubscriptionTable(_dynamodb, _settings.subscriptions_table), _settings.jobs_table),
)


def handler(event: dict[str, object], context: Context) -> None:
    """Serve what is due, for as long as the invocation may last."""
    with ThreadPoolExecutor(THREADS) as pool:
        _expirer.run(lambda: context.get_remaining_time_in_millis() > SPARE_MILLISECONDS, pool.map)
