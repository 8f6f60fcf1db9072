"""Puts messages and wakes for the records of the outbox into the delivery queue. Calls nothing outside of AWS."""

from typing import Any

from jobtrack import aws
from jobtrack.invocation import Context
from jobtrack.push.dispatch.dispatcher import Dispatcher
from jobtrack.push.dispatch.quarantine import QuarantineTable
from jobtrack.push.dispatch.replays import Replays
from jobtrack.push.messages.delivery_queue import DeliveryQueue
from jobtrack.push.subscriptions.subscription_table import SubscriptionTable
from jobtrack.settings import Settings

_settings = Settings.from_env()
_dynamodb = aws.client("dynamodb")
_dispatcher = Dispatcher(
    SubscriptionTable(_dynamodb, _settings.subscriptions_table),
    DeliveryQueue(aws.client("sqs"), _settings.delivery_queue_url),
    Replays(_dynamodb, _settings.jobs_table),
    QuarantineTable(_dynamodb, _settings.quarantine_table),
)


def handler(event: dict[str, Any], context: Context) -> dict[str, Any]:
    """Serve a batch of the stream; return the records that must be retried.

    Powertools' batch processor is not used: importing it takes longer than this function may take to start.
    """
    failed = _dispatcher.dispatch(event["Records"], lambda: context.get_remaining_time_in_millis() / 1000)
    return {"batchItemFailures": [{"itemIdentifier": sequence_number} for sequence_number in failed]}
