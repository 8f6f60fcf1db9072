"""From the queue to the receiver: check, sign, post, record, and try again by the schedule.

Every step may be the last of its process: a message is acknowledged only after what follows from it was written, so a
crash repeats a step and loses nothing.
"""

import logging
import random
import time
from collections.abc import Callable
from dataclasses import dataclass

from jobtrack import times
from jobtrack.push.deliveries import Attempt, Delivery, DeliveryTable
from jobtrack.push.egress import Answer, EgressError
from jobtrack.push.endings import Endings
from jobtrack.push.messages import ENDED, Message
from jobtrack.push.queue import DeliveryQueue
from jobtrack.push.schedule import END_SECONDS, hop, next_attempt, next_end_attempt, retry_after_seconds
from jobtrack.push.subscription import Subscription
from jobtrack.push.subscription_table import SubscriptionTable
from jobtrack.push.webhook import WebhookSender

logger = logging.getLogger(__name__)

GONE = 410


class _Over(Exception):
    """The time in which the message may be sent has ended."""


@dataclass(slots=True)
class Deliverer:
    """Delivers messages of the queue; safe for several threads at once."""

    subscriptions: SubscriptionTable
    endings: Endings
    deliveries: DeliveryTable
    queue: DeliveryQueue
    webhooks: WebhookSender
    clock: Callable[[], float] = time.time
    random: Callable[[], float] = random.random

    def deliver(self, body: str) -> None:
        """Do what is next for a message of the queue; when this returns, the message may be acknowledged."""
        message = Message.decode(body)
        if hop(message.not_before, self.clock()):
            self.queue.put([message])
            return
        delivery = self.deliveries.get(message)
        if not delivery.settles(message):
            self._try(message, delivery)

    def _try(self, message: Message, delivery: Delivery) -> None:
        subscription = self.subscriptions.get(message.job, message.subscription_id)
        if subscription is None:
            self._give_up(message, delivery)
            return
        try:
            attempt, answer = self._attempt(message, subscription)
        except _Over:
            self._give_up(message, delivery)
            return
        self._conclude(message, delivery, subscription, attempt, answer)

    def _give_up(self, message: Message, delivery: Delivery) -> None:
        """What was never sent is skipped; what was sent in vain has failed."""
        self.deliveries.put(message, delivery.after(message, "Failed" if message.attempt else "Skipped"))

    def _attempt(self, message: Message, subscription: Subscription) -> tuple[Attempt, Answer | None]:
        self._check(message, subscription)
        started = self.clock()
        try:
            answer = self.webhooks.send(message, subscription, lambda: self._check(message, subscription))
        except EgressError as error:
            return Attempt(_micros(started), self._milliseconds(started), None, str(error)), None
        return Attempt(_micros(started), self._milliseconds(started), answer.status), answer

    def _check(self, message: Message, subscription: Subscription) -> None:
        if not _may_send(message, subscription, self.clock()):
            raise _Over

    def _conclude(
        self,
        message: Message,
        delivery: Delivery,
        subscription: Subscription,
        attempt: Attempt,
        answer: Answer | None,
    ) -> None:
        if answer and 200 <= answer.status < 300:
            status = "Delivered"
        elif answer and answer.status == GONE:
            self.endings.end(subscription.job, subscription.subscription_id, "gone")
            status = "Failed"
        else:
            status = "Pending" if self._retry(message, subscription, answer) else "Failed"
        self.deliveries.put(message, delivery.after(message, status, attempt))
        logger.info("%s %s after attempt %d", message.message_id, status, message.attempt + 1)

    def _retry(self, message: Message, subscription: Subscription, answer: Answer | None) -> bool:
        """Enqueue the next attempt, if there is time for one."""
        now = self.clock()
        wish = retry_after_seconds(answer.retry_after, now) if answer else None
        if message.type == ENDED:
            at = next_end_attempt(message.failed, now, message.first_at, self.random(), wish)
        else:
            expires = subscription.expires_at
            at = next_attempt(message.failed, now, message.first_at, expires, self.random(), wish)
        if at is not None:
            self.queue.put([message.later(at)])
        return at is not None

    def _milliseconds(self, started: float) -> int:
        return round(1000 * (self.clock() - started))


def _may_send(message: Message, subscription: Subscription, now: float) -> bool:
    """Nothing after the end but the word of it, and that not for long."""
    if message.type == ENDED:
        return message.attempt == 0 or now < message.first_at + END_SECONDS
    return subscription.live(now)


def _micros(moment: float) -> int:
    return round(moment * times.SECOND)
