"""From the outbox to the delivery queue: a message for each webhook that wants an event, a wake for each WebSocket.

Apart from batches of events, the outbox holds complete messages, and replays of earlier events for new subscriptions.
"""

import base64
import logging
import math
from collections.abc import Callable, Sequence

from msgspec import Struct

from jobtrack import times
from jobtrack.errors import NotFound
from jobtrack.keys import JobKey
from jobtrack.push.dispatch.quarantine import QuarantineTable, StreamRecord
from jobtrack.push.dispatch.replays import Replays
from jobtrack.push.messages.delivery_queue import DeliveryQueue
from jobtrack.push.messages.message import Message
from jobtrack.push.messages.poison import is_poison
from jobtrack.push.messages.wake import Wake
from jobtrack.push.subscriptions.message_factory import event_message, new_wake
from jobtrack.push.subscriptions.subscription import Subscription
from jobtrack.push.subscriptions.subscription_table import SubscriptionTable
from jobtrack.store import outbox
from jobtrack.store.item_kinds import OUTBOX_RECORD
from jobtrack.store.outbox_records import (
    EventBatch,
    OutboxEvent,
    OutboxRecord,
    ReadyMessage,
    Replay,
    ReplayStep,
    decode,
)
from jobtrack.times import Micros
from jobtrack.transient_errors import passes

logger = logging.getLogger(__name__)

SPARE_SECONDS = 15.0
"""With less time left, no further record is begun: the result must be returned before Lambda ends the process."""


def _no_limit() -> float:
    return math.inf


class Dispatcher(Struct, eq=False):
    """Serves the stream of outbox items. A repeated record results in the same messages, with the same ids."""

    subscriptions: SubscriptionTable
    queue: DeliveryQueue
    replays: Replays
    quarantine: QuarantineTable
    clock: Callable[[], Micros] = times.now

    def dispatch(self, records: Sequence[StreamRecord], seconds_left: Callable[[], float] = _no_limit) -> list[str]:
        """Enqueue the messages of the records. Return the sequence numbers of the records that must be retried.

        The records after a failed record are served too. Lambda delivers them again together with the failed record,
        but the ids of the messages stay the same.
        """
        failed: list[str] = []
        outages: list[Exception] = []
        for index, record in enumerate(records):
            in_time = index == 0 or seconds_left() >= SPARE_SECONDS
            if not (in_time and self._is_served(record, outages)):
                failed.append(record["dynamodb"]["SequenceNumber"])
        if outages:  # in one line, because they concern every record and every retry
            logger.error("%d outbox records failed and will be retried: %s", len(outages), outages[0])
        return failed

    def _is_served(self, record: StreamRecord, outages: list[Exception]) -> bool:
        try:
            self._serve_or_quarantine(record)
        except Exception as error:
            if passes(error):
                outages.append(error)
            else:
                logger.exception("outbox record %s failed and will be retried", record["dynamodb"]["SequenceNumber"])
            return False
        return True

    def _serve_or_quarantine(self, record: StreamRecord) -> None:
        try:
            image = OUTBOX_RECORD.check(record["dynamodb"]["NewImage"])
            self._serve(decode(base64.b64decode(image["d"]["B"])))
        except Exception as error:
            if not is_poison(error):
                raise
            logger.exception("outbox record %s was quarantined", record["dynamodb"]["SequenceNumber"])
            self.quarantine.put_record(record, error)

    def _serve(self, record: OutboxRecord) -> None:
        now = self.clock()
        match record:
            case ReadyMessage(body):
                self.queue.enqueue([Message.decode(body)])
            case EventBatch():
                subscriptions = self._live_subscriptions(record.job, record.subscription_ids, now)
                webhooks = [subscription for subscription in subscriptions if not subscription.stream]
                messages = _messages(record.job_name, record.events, webhooks, now)
                self.queue.enqueue([*messages, *_wakes(record.events, subscriptions)])
            case Replay():
                for subscription in self._live_subscriptions(record.job, [record.subscription_id], now):
                    self._replay(subscription, record.step, now)

    def _live_subscriptions(self, job: JobKey, subscription_ids: Sequence[str], now: Micros) -> list[Subscription]:
        subscriptions = self.subscriptions.read_subscriptions(job, subscription_ids)
        return [subscription for subscription in subscriptions if subscription.live(now)]

    def _replay(self, subscription: Subscription, step: ReplayStep, now: Micros) -> None:
        """Do one step, and store the next step. A repetition stores the same item, so the stream gets one record."""
        try:
            job_name, events, next_step = self.replays.read(subscription, step)
        except NotFound:
            return
        self.queue.enqueue(_messages(job_name, events, [subscription], now))
        if next_step:
            replay = Replay(subscription.job, subscription.subscription_id, next_step)
            self.replays.put_item(outbox.replay_item(replay, now))


def _messages(
    job_name: str, events: Sequence[OutboxEvent], subscriptions: Sequence[Subscription], now: Micros
) -> list[Message]:
    messages = [
        event_message(subscription.job, job_name, subscription, event, now)
        for event in events
        for subscription in subscriptions
    ]
    return [message for message in messages if message is not None]


def _wakes(events: Sequence[OutboxEvent], subscriptions: Sequence[Subscription]) -> list[Wake]:
    """Return a wake for each connected WebSocket that wants any of the events; `$connect` sends its own wake."""
    wakes = []
    for subscription in subscriptions:
        if subscription.stream and subscription.stream.connection:
            sequences = [event.sequence for event in events if subscription.wants(event)]
            wakes += [new_wake(subscription, max(sequences))] if sequences else []
    return wakes
