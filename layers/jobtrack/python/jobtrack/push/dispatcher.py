"""From the outbox to the queue: one message for each live subscription that wants the event.

Beside batches of events the outbox owes messages that are ready to be sent, and what happened before a subscription.
"""

import base64
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from jobtrack import packing
from jobtrack.errors import NotFound
from jobtrack.job import Json
from jobtrack.keys import JobKey
from jobtrack.push.messages import Message, event_message
from jobtrack.push.queue import DeliveryQueue
from jobtrack.push.replays import Replays, Step
from jobtrack.push.subscription import Event, Subscription
from jobtrack.push.subscription_table import SubscriptionTable
from jobtrack.store import outbox

logger = logging.getLogger(__name__)

StreamRecord = Mapping[str, Any]


@dataclass(slots=True)
class Dispatcher:
    """Serves a stream of outbox items. A repeated record makes the same messages, under the same ids."""

    subscriptions: SubscriptionTable
    queue: DeliveryQueue
    replays: Replays
    clock: Callable[[], float] = time.time

    def dispatch(self, records: Sequence[StreamRecord]) -> list[str]:
        """Enqueue what the records owe; answers the sequence numbers of those that failed.

        The rest go on: Lambda comes again with everything from the first that failed, and the ids stay the same.
        """
        return [record["dynamodb"]["SequenceNumber"] for record in records if not self._served(record)]

    def _served(self, record: StreamRecord) -> bool:
        try:
            self._serve(packing.unpack(base64.b64decode(record["dynamodb"]["NewImage"]["d"]["B"])))
        except Exception:
            logger.exception("outbox record %s failed", record["dynamodb"]["SequenceNumber"])
            return False
        return True

    def _serve(self, stored: Json) -> None:
        if "messages" in stored:
            self.queue.put([Message.decode(body) for body in stored["messages"]])
            return
        job, now = JobKey(stored["tenantId"], stored["projectId"], stored["jobId"]), self.clock()
        known = self.subscriptions.get_many(job, stored["subscriptions"])
        live = [subscription for subscription in known if subscription.live(now)]
        if "replay" not in stored:
            self.queue.put(_messages(stored["jobName"], stored["events"], live, now))
        for subscription in live if "replay" in stored else ():
            self._replay(subscription, Step.load(stored["replay"]), now)

    def _replay(self, subscription: Subscription, step: Step, now: float) -> None:
        """Do one step; the next is owed by an item that makes one record, however often this one comes."""
        try:
            name, events, rest = self.replays.read(subscription, step)
        except NotFound:
            return
        self.queue.put(_messages(name, events, [subscription], now))
        if rest:
            self.replays.owe(outbox.replay(subscription.job, subscription.subscription_id, asdict(rest), int(now)))


def _messages(job_name: str, events: Sequence[Event], live: Sequence[Subscription], now: float) -> list[Message]:
    made = [event_message(one.job, job_name, one, event, now) for event in events for one in live]
    return [message for message in made if message is not None]
