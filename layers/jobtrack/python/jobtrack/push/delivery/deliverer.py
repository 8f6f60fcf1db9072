"""From the queue to the receiver: check, sign, post, record, and try again by the schedule.

Every step may be the last of its process: a message is acknowledged only after what follows from it was written, so a
crash repeats a step and loses nothing.
"""

import logging
import random
import threading
import time
from collections.abc import Callable
from typing import Protocol

from jobtrack import log_filter, times
from jobtrack.classes import service
from jobtrack.push.delivery.circuit_breaker import CircuitBreaker, Permit
from jobtrack.push.delivery.delivery_context import DeliveryContext, standing
from jobtrack.push.delivery.delivery_table import Attempt, Delivery, DeliveryTable
from jobtrack.push.delivery.endpoint_health import QUICK_SECONDS, EndpointHealth, Open, Outcome, Refusal
from jobtrack.push.delivery.retry_schedule import (
    END_SECONDS,
    RETRY_SECONDS,
    back_after,
    next_attempt,
    next_end_attempt,
    next_look,
    retry_after_seconds,
)
from jobtrack.push.delivery.webhook_sender import WebhookSender
from jobtrack.push.egress.guarded_post import EgressError, Response
from jobtrack.push.messages.delivery_queue import DeliveryQueue, delay_seconds
from jobtrack.push.messages.message import ENDED, Message
from jobtrack.push.messages.poison import is_poison
from jobtrack.push.subscriptions.endings import SubscriptionEnder
from jobtrack.push.subscriptions.subscription import Subscription
from jobtrack.push.subscriptions.subscription_table import SubscriptionTable

logger = logging.getLogger(__name__)

GONE = 410
FRESH_SECONDS = 0.25
"""A subscription that was read longer ago is read again before the first byte is sent."""

Alarm = Callable[[float, Callable[[], None]], Callable[[], None]]
"""Calls after so many seconds, unless what it answers is called before."""


def alarm(seconds: float, act: Callable[[], None]) -> Callable[[], None]:
    """An alarm that acts in a thread of its own."""
    timer = threading.Timer(seconds, act)
    timer.daemon = True
    timer.start()
    return timer.cancel


class Sender(Protocol):
    """Sends messages to receivers of one kind: webhooks, or WebSocket connections."""

    def send(self, message: Message, subscription: Subscription, ready: Callable[[], None]) -> Response:
        """Send the message and return the receiver's response; call `ready` right before the first byte."""


class _Over(Exception):
    """The time in which the message may be sent has ended."""


@service
class Deliverer:
    """Delivers messages of the queues; safe for several threads at once."""

    subscriptions: SubscriptionTable
    endings: SubscriptionEnder
    deliveries: DeliveryTable
    queue: DeliveryQueue
    gate: CircuitBreaker
    webhooks: WebhookSender
    sockets: Sender
    clock: Callable[[], float] = time.time
    random: Callable[[], float] = random.random
    alarm: Alarm = alarm

    def deliver(self, body: str) -> None:
        """Do what is next for a message of the queue; when this returns, the message may be acknowledged."""
        message = Message.decode(body)
        if delay_seconds(message.not_before, self.clock()):
            self.queue.put([message])
            return
        found = standing(message, self.subscriptions, self.deliveries, self.clock())
        if found.delivery.settles(message):
            return
        if found.subscription is None or not _may_send(message, found.subscription, self.clock()):
            self._give_up(message, found.delivery)
        elif found.subscription.cursor:
            self._tell(message, found, found.subscription)
        else:
            self._enter(message, found, found.subscription)

    def _give_up(self, message: Message, delivery: Delivery) -> None:
        """What was never sent is skipped; what was sent in vain has failed."""
        tried = delivery.attempts or message.attempt > message.earlier
        self._record(message, delivery.after(message, "Failed" if tried else "Skipped"), message.attempt)

    def _record(self, message: Message, delivery: Delivery, attempts: int) -> None:
        """Store what became of the message, and log it: an alarm counts those that failed, at every log level."""
        self.deliveries.put(message, delivery)
        log = log_filter.counted if delivery.status == "Failed" else logger
        log.info("%s %s after attempt %d", message.message_id, delivery.status, attempts)

    def _tell(self, message: Message, found: DeliveryContext, subscription: Subscription) -> None:
        """Post to a WebSocket: there is no endpoint that could hold up others."""
        started = self.clock()
        try:
            answer = _attempted(
                message,
                lambda: self.sockets.send(
                    message, subscription, lambda: self._check(message, found.read_at, subscription)
                ),
            )
        except _Over:
            self._give_up(message, found.delivery)
            return
        attempt = _attempt(started, self.clock() - started, answer)
        self._conclude(message, found.delivery, subscription, attempt, answer, found.health)

    def _enter(self, message: Message, found: DeliveryContext, subscription: Subscription) -> None:
        match self.gate.enter(message.group, message.lane, found.health):
            case Open(until):
                self._skip(message, found.delivery, until)
            case Refusal.SLOW:
                self.queue.put([message.moved("slow")])
            case Refusal.FULL:
                self.queue.put([message.put_off(next_look(message.waits, self.clock(), self.random()))])
            case Permit() as passage:
                self._try(message, found, subscription, passage)

    def _skip(self, message: Message, delivery: Delivery, until: float) -> None:
        """While the breaker is open the message counts as skipped, but it comes back when there is hope again."""
        if delivery.status != "Skipped":
            self.deliveries.put(message, delivery.skipped())
        self.queue.put([message.put_off(back_after(until, message.waits, self.random()))])

    def _try(self, message: Message, found: DeliveryContext, subscription: Subscription, passage: Permit) -> None:
        started = self.clock()
        try:
            answer = self._send(message, found.read_at, subscription, passage)
        except _Over:
            self.gate.leave(passage, Outcome.NOT_SENT)
            self._give_up(message, found.delivery)
            return
        except Exception:
            self.gate.leave(passage, Outcome.NOT_SENT)
            raise
        attempt = _attempt(started, self.clock() - started, answer)
        health = self.gate.leave(passage, _outcome(answer), attempt.milliseconds / 1000)
        self._conclude(message, found.delivery, subscription, attempt, answer, health)

    def _send(
        self, message: Message, read_at: float, subscription: Subscription, passage: Permit
    ) -> Response | EgressError:
        silence = self.alarm(QUICK_SECONDS, lambda: self.gate.note_slow(passage))
        try:
            return _attempted(
                message,
                lambda: self.webhooks.send(message, subscription, lambda: self._check(message, read_at, subscription)),
            )
        finally:
            silence()

    def _check(self, message: Message, read_at: float, subscription: Subscription) -> None:
        """The last word before the first byte: connecting may have taken long."""
        known: Subscription | None = subscription
        if self.clock() - read_at > FRESH_SECONDS:
            known = self.subscriptions.get(message.job, message.subscription_id)
        if known is None or not _may_send(message, known, self.clock()):
            raise _Over

    def _conclude(
        self,
        message: Message,
        delivery: Delivery,
        subscription: Subscription,
        attempt: Attempt,
        answer: Response | EgressError,
        health: EndpointHealth,
    ) -> None:
        outcome = _outcome(answer)
        if outcome is Outcome.ANSWERED:
            status = "Delivered"
        elif outcome is Outcome.GONE:
            self.endings.end(subscription.job, subscription.subscription_id, "gone")
            status = "Failed"
        else:
            status = "Pending" if self._retry(message, subscription, answer, health) else "Failed"
        self._record(message, delivery.after(message, status, attempt), message.attempt + 1)

    def _retry(
        self, message: Message, subscription: Subscription, answer: Response | EgressError, health: EndpointHealth
    ) -> bool:
        """Enqueue the next attempt, if there is time for one."""
        now = self.clock()
        wish = retry_after_seconds(answer.retry_after, now) if isinstance(answer, Response) else None
        if message.type == ENDED:
            at = next_end_attempt(message.failed, now, message.first_at, self.random(), wish)
        else:
            expires = subscription.expires_at
            at = next_attempt(message.failed, now, message.first_at, expires, self.random(), wish)
        if at is not None:
            self.queue.put([message.later(at, "slow" if health.slow(at) else "normal")])
        return at is not None


def _attempted(message: Message, send: Callable[[], Response]) -> Response | EgressError:
    """What came of an attempt.

    A fault of our own code counts as a failed attempt, which the schedule repeats; what AWS caused is raised, so that
    the queue brings the message again.
    """
    try:
        return send()
    except EgressError as error:
        return error
    except Exception as error:
        if isinstance(error, _Over) or not is_poison(error):
            raise
        logger.exception("message %s could not be sent", message.message_id)
        return EgressError(f"an internal error ({type(error).__name__})")


def _may_send(message: Message, subscription: Subscription, now: float) -> bool:
    """Nothing after the end but the word of it, and that not for long; a first attempt may come late, but not wait."""
    seconds = END_SECONDS if message.type == ENDED else RETRY_SECONDS
    in_time = (message.attempt == message.earlier and not message.waits) or now < message.first_at + seconds
    return in_time and (message.type == ENDED or subscription.live(now))


def _outcome(answer: Response | EgressError) -> Outcome:
    if isinstance(answer, EgressError):
        return Outcome.FAILED
    if 200 <= answer.status < 300:
        return Outcome.ANSWERED
    return Outcome.GONE if answer.status == GONE else Outcome.FAILED


def _attempt(started: float, seconds: float, answer: Response | EgressError) -> Attempt:
    at, milliseconds = round(started * times.SECOND), round(1000 * seconds)
    if isinstance(answer, EgressError):
        return Attempt(at, milliseconds, None, str(answer))
    return Attempt(at, milliseconds, answer.status)
