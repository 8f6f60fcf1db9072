"""Ends the subscriptions that have expired, every minute."""

from jobtrack import aws
from jobtrack.invocation import Context, run
from jobtrack.push.subscriptions.expirer import Expirer
from jobtrack.push.subscriptions.subscription import KEPT_SECONDS
from jobtrack.push.subscriptions.subscription_ender import SubscriptionEnder
from jobtrack.push.subscriptions.subscription_table import SubscriptionTable
from jobtrack.settings import Settings
from jobtrack.store.timers import EXPIRY, TimerStore

_settings = Settings.from_env()
_dynamodb = aws.client("dynamodb")
_expirer = Expirer(
    TimerStore(_dynamodb, _settings.subscriptions_table, EXPIRY, KEPT_SECONDS),
    SubscriptionEnder(SubscriptionTable(_dynamodb, _settings.subscriptions_table), _settings.jobs_table),
)


def handler(event: dict[str, object], context: Context) -> None:
    """Serve the due timers until the invocation's time is nearly over."""
    run(_expirer.run, context)
