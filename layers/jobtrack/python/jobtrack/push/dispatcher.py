"""From the outbox to the queue: one message for each live subscription that wants the event."""

import base64
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jobtrack import packing
from jobtrack.keys import JobKey
from jobtrack.push.messages import Message, event_message
from jobtrack.push.queue import DeliveryQueue
from jobtrack.push.subscription_table import SubscriptionTable

logger = logging.getLogger(__name__)

StreamRecord = Mapping[str, Any]


@dataclass(slots=True)
class Dispatcher:
    """Serves a stream of outbox items. A repeated record makes the same messages, under the same ids."""

    subscriptions: SubscriptionTable
    queue: DeliveryQueue
    clock: Callable[[], float] = time.time

    def dispatch(self, records: Sequence[StreamRecord]) -> list[str]:
        """Enqueue what the records owe; answers the sequence numbers of those that failed.

        The rest go on: Lambda comes again with everything from the first that failed, and the ids stay the same.
        """
        return [record["dynamodb"]["SequenceNumber"] for record in records if not self._served(record)]

    def _served(self, record: StreamRecord) -> bool:
        try:
            self.queue.put(self._messages(record["dynamodb"]["NewImage"]))
        except Exception:
            logger.exception("outbox record %s failed", record["dynamodb"]["SequenceNumber"])
            return False
        return True

    def _messages(self, image: Mapping[str, Any]) -> list[Message]:
        stored = packing.unpack(base64.b64decode(image["d"]["B"]))
        job = JobKey(stored["tenantId"], stored["projectId"], stored["jobId"])
        now = self.clock()
        known = self.subscriptions.get_many(job, stored["subscriptions"])
        live = [subscription for subscription in known if subscription.live(now)]
        made = [event_message(job, stored["jobName"], one, event, now) for event in stored["events"] for one in live]
        return [message for message in made if message is not None]
