"""Notes which subscriptions have expired, every minute."""

from jobtrack import aws
from jobtrack.push.subscriptions.endings import SubscriptionEnder
from jobtrack.push.subscriptions.expirer import Expirer
from jobtrack.push.subscriptions.expiry_timers import ExpiryTable
from jobtrack.push.subscriptions.subscription_table import SubscriptionTable
from jobtrack.scheduled.invocation import Context, serve
from jobtrack.settings import Settings

_settings = Settings.from_env()
_dynamodb = aws.client("dynamodb")
_expirer = Expirer(
    ExpiryTable(_dynamodb, _settings.subscriptions_table),
    SubscriptionEnder(SubscriptionTable(_dynamodb, _settings.subscriptions_table), _settings.jobs_table),
)


def handler(event: dict[str, object], context: Context) -> None:
    """Serve what is due, for as long as the invocation may last."""
    serve(_expirer.run, context)
