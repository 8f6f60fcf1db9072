"""From the outbox to the queue: one message for each live webhook that wants the event, one wake for each WebSocket.

Beside batches of events the outbox owes messages that are ready to be sent, and what happened before a subscription.
"""

import base64
import logging
import math
import time
from collections.abc import Callable, Sequence

from msgspec import Struct

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
from jobtrack.store.outbox_records import (
    EventBatch,
    OutboxEvent,
    OutboxRecord,
    ReadyMessage,
    Replay,
    ReplayStep,
    decode,
)

logger = logging.getLogger(__name__)

ENOUGH_SECONDS = 15.0
"""No further record is begun with less time left: what is done shall be told before Lambda ends the process."""


def _no_end() -> float:
    return math.inf


class Dispatcher(Struct, eq=False):
    """Serves a stream of outbox items. A repeated record makes the same messages, under the same ids."""

    subscriptions: SubscriptionTable
    queue: DeliveryQueue
    replays: Replays
    quarantine: QuarantineTable
    clock: Callable[[], float] = time.time

    def dispatch(self, records: Sequence[StreamRecord], seconds_left: Callable[[], float] = _no_end) -> list[str]:
        """Enqueue what the records owe; answers the sequence numbers of those that are to come again.

        The rest go on: Lambda comes again with everything from the first of these, and the ids stay the same.
        """
        failed: list[str] = []
        for index, record in enumerate(records):
            in_time = index == 0 or seconds_left() >= ENOUGH_SECONDS
            if not (in_time and self._served(record)):
                failed.append(record["dynamodb"]["SequenceNumber"])
        return failed

    def _served(self, record: StreamRecord) -> bool:
        try:
            self._serve_or_quarantine(record)
        except Exception:
            logger.exception("outbox record %s failed, and comes again", record["dynamodb"]["SequenceNumber"])
            return False
        return True

    def _serve_or_quarantine(self, record: StreamRecord) -> None:
        try:
            self._serve(decode(base64.b64decode(record["dynamodb"]["NewImage"]["d"]["B"])))
        except Exception as error:
            if not is_poison(error):
                raise
            logger.exception("outbox record %s is put into quarantine", record["dynamodb"]["SequenceNumber"])
            self.quarantine.put(record, error)

    def _serve(self, record: OutboxRecord) -> None:
        now = self.clock()
        match record:
            case ReadyMessage(body):
                self.queue.put([Message.decode(body)])
            case EventBatch():
                subscriptions = self._live_subscriptions(record.job, record.subscription_ids, now)
                webhooks = [subscription for subscription in subscriptions if not subscription.stream]
                messages = _messages(record.job_name, record.events, webhooks, now)
                self.queue.put([*messages, *_wakes(record.events, subscriptions)])
            case Replay():
                for subscription in self._live_subscriptions(record.job, [record.subscription_id], now):
                    self._replay(subscription, record.step, now)

    def _live_subscriptions(self, job: JobKey, subscription_ids: Sequence[str], now: float) -> list[Subscription]:
        subscriptions = self.subscriptions.get_many(job, subscription_ids)
        return [subscription for subscription in subscriptions if subscription.live(now)]

    def _replay(self, subscription: Subscription, step: ReplayStep, now: float) -> None:
        """Do one step and store the next one, as one item: the stream then has one record, however often this runs."""
        try:
            job_name, events, next_step = self.replays.read(subscription, step)
        except NotFound:
            return
        self.queue.put(_messages(job_name, events, [subscription], now))
        if next_step:
            replay = Replay(subscription.job, subscription.subscription_id, next_step)
            self.replays.put_item(outbox.replay_item(replay, int(now)))


def _messages(job_name: str, events: Sequence[OutboxEvent], live: Sequence[Subscription], now: float) -> list[Message]:
    made = [event_message(one.job, job_name, one, event, now) for event in events for one in live]
    return [message for message in made if message is not None]


def _wakes(events: Sequence[OutboxEvent], live: Sequence[Subscription]) -> list[Wake]:
    """One for each connected WebSocket that wants any of the events, however many; who connects later wakes by that."""
    connected = [one for one in live if one.stream and one.stream.connection]
    wanted = {one: [event.sequence for event in events if one.wants(event)] for one in connected}
    return [new_wake(one, max(sequences)) for one, sequences in wanted.items() if sequences]
