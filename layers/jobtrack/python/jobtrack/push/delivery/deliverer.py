"""Delivery of one message of the queue: check, sign, post, record, and retry later.

The process may end after any step. A message is acknowledged only after the results of the step were written, so a
crash repeats a step and loses nothing.
"""

import logging
import random
from collections.abc import Callable

from msgspec import Struct

from jobtrack import log_filter, times
from jobtrack.domain.subscription_states import DeliveryStatus
from jobtrack.push.delivery.attempt import AttemptResult, Outcome
from jobtrack.push.delivery.circuit_breaker import CircuitBreaker, Permit
from jobtrack.push.delivery.delivery import Delivery
from jobtrack.push.delivery.delivery_context import DeliveryContext, read_delivery_context
from jobtrack.push.delivery.delivery_table import DeliveryTable
from jobtrack.push.delivery.endpoint_health import EndpointHealth, Open, Refusal
from jobtrack.push.delivery.retry_schedule import (
    END_SECONDS,
    RETRY_SECONDS,
    next_attempt,
    next_breaker_check,
    next_end_attempt,
    next_lease_check,
    retry_after_seconds,
)
from jobtrack.push.delivery.sender_protocol import Sender
from jobtrack.push.delivery.webhook_sender import WebhookSender
from jobtrack.push.egress.guarded_post import EgressError, Response
from jobtrack.push.messages.delivery_queue import DeliveryQueue, delay_seconds
from jobtrack.push.messages.message import ENDED, Message
from jobtrack.push.messages.poison import is_poison
from jobtrack.push.subscriptions.subscription import Subscription
from jobtrack.push.subscriptions.subscription_ender import SubscriptionEnder
from jobtrack.push.subscriptions.subscription_table import SubscriptionTable
from jobtrack.times import Micros

logger = logging.getLogger(__name__)

FRESH_SECONDS = 0.25
"""A subscription that was read longer ago is read again before the message is posted."""


class _NotWanted(Exception):
    """The subscription does not want the message: it has ended, or the time for the message is over."""


class Deliverer(Struct, eq=False):
    """Delivers the messages of the queue; safe for several threads at once."""

    subscriptions: SubscriptionTable
    ender: SubscriptionEnder
    deliveries: DeliveryTable
    queue: DeliveryQueue
    breaker: CircuitBreaker
    webhooks: WebhookSender
    sockets: Sender
    clock: Callable[[], Micros] = times.now
    random: Callable[[], float] = random.random

    def deliver(self, message: Message) -> None:
        """Do the next step of a message; when this returns, the message may be acknowledged."""
        if delay_seconds(message.not_before, self.clock()):
            self.queue.enqueue([message])
            return
        context = read_delivery_context(message, self.subscriptions, self.deliveries, self.clock())
        if context.delivery.is_concluded(message):
            return
        try:
            subscription = self._require_wanted(message, context.subscription)
            if subscription.stream:
                self._deliver_to_socket(message, context, subscription)
            else:
                self._deliver_to_webhook(message, context, subscription)
        except _NotWanted:
            self._abandon(message, context.delivery)

    def _require_wanted(self, message: Message, subscription: Subscription | None) -> Subscription:
        if subscription is None or not _is_wanted(message, subscription, self.clock()):
            raise _NotWanted
        return subscription

    def _deliver_to_socket(self, message: Message, context: DeliveryContext, subscription: Subscription) -> None:
        """Attempt it without the circuit breaker: API Gateway accepts the message, so a slow client delays nothing."""
        result = self._attempt(self.sockets, message, context.read_at, subscription)
        self._record(message, context.delivery, subscription, result, context.health)

    def _deliver_to_webhook(self, message: Message, context: DeliveryContext, subscription: Subscription) -> None:
        """Attempt it if the circuit breaker permits it, else put the message back into the queue."""
        match self.breaker.acquire(message.group, message.lane, context.health):
            case Open(until):
                self._skip(message, context.delivery, until)
            case Refusal.SLOW:
                self.queue.enqueue([message.moved("slow")])
            case Refusal.FULL:
                self.queue.enqueue([message.postponed(next_lease_check(message.waits, self.clock(), self.random()))])
            case Permit() as permit:
                result, health = self._attempt_permitted(message, context, subscription, permit)
                self._record(message, context.delivery, subscription, result, health)

    def _skip(self, message: Message, delivery: Delivery, until: Micros) -> None:
        """Mark the message as skipped while the breaker is open; it returns when the breaker permits a probe."""
        if delivery.status is not DeliveryStatus.SKIPPED:
            self.deliveries.put_delivery(message, delivery.skipped())
        self.queue.enqueue([message.postponed(next_breaker_check(until, message.waits, self.random()))])

    def _attempt_permitted(
        self, message: Message, context: DeliveryContext, subscription: Subscription, permit: Permit
    ) -> tuple[AttemptResult, EndpointHealth]:
        """Attempt it, and release the permit in any case. Return the result, and the endpoint's health afterwards."""
        try:
            with self.breaker.watch(permit):
                result = self._attempt(self.webhooks, message, context.read_at, subscription)
        except Exception:
            self.breaker.release(permit, Outcome.NOT_SENT)
            raise
        return result, self.breaker.release(permit, result.outcome, result.seconds)

    def _attempt(self, sender: Sender, message: Message, read_at: Micros, subscription: Subscription) -> AttemptResult:
        started = self.clock()
        response = self._post(sender, message, read_at, subscription)
        return AttemptResult(started, times.seconds_between(started, self.clock()), response)

    def _post(
        self, sender: Sender, message: Message, read_at: Micros, subscription: Subscription
    ) -> Response | EgressError:
        """Return the response, or the error if there is no response.

        An error in our own code counts as a failed attempt, so that the schedule retries it. An error of AWS is raised,
        so that the queue delivers the message again.
        """
        try:
            with sender.connect(message, subscription) as connection:
                self._require_still_wanted(message, read_at, subscription)
                return connection.post()
        except EgressError as error:
            return error
        except Exception as error:
            if isinstance(error, _NotWanted) or not is_poison(error):
                raise
            logger.exception("message %s could not be sent", message.message_id)
            return EgressError(f"an internal error ({type(error).__name__})")

    def _require_still_wanted(self, message: Message, read_at: Micros, subscription: Subscription) -> None:
        """Check once more right before the first byte: connecting may have taken seconds."""
        current: Subscription | None = subscription
        if times.seconds_between(read_at, self.clock()) > FRESH_SECONDS:
            current = self.subscriptions.read_subscription(message.job, message.subscription_id)
        self._require_wanted(message, current)

    def _record(
        self,
        message: Message,
        delivery: Delivery,
        subscription: Subscription,
        result: AttemptResult,
        health: EndpointHealth,
    ) -> None:
        """Store the attempt, and retry later if it failed and there is time."""
        match result.outcome:
            case Outcome.DELIVERED:
                status = DeliveryStatus.DELIVERED
            case Outcome.GONE:
                self.ender.end(subscription.job, subscription.subscription_id, "gone")
                status = DeliveryStatus.FAILED
            case _:
                retried = self._retry_later(message, subscription, result, health)
                status = DeliveryStatus.PENDING if retried else DeliveryStatus.FAILED
        self._put_delivery(message, delivery.after(message, status, result.attempt), message.attempt + 1)

    def _retry_later(
        self, message: Message, subscription: Subscription, result: AttemptResult, health: EndpointHealth
    ) -> bool:
        """Enqueue the next attempt; return `False` if the retry schedule is over."""
        now = self.clock()
        retry_after = retry_after_seconds(result.retry_after, now)
        if message.type == ENDED:
            at = next_end_attempt(message.failed, now, message.first_at, self.random(), retry_after)
        else:
            expires_at = subscription.expires_at
            at = next_attempt(message.failed, now, message.first_at, expires_at, self.random(), retry_after)
        if at is not None:
            self.queue.enqueue([message.later(at, "slow" if health.is_slow(at) else "normal")])
        return at is not None

    def _abandon(self, message: Message, delivery: Delivery) -> None:
        """Make no further attempt. A message that was attempted has failed; otherwise, it is skipped."""
        attempted = delivery.attempts or message.attempt > message.earlier
        status = DeliveryStatus.FAILED if attempted else DeliveryStatus.SKIPPED
        self._put_delivery(message, delivery.after(message, status), message.attempt)

    def _put_delivery(self, message: Message, delivery: Delivery, attempts: int) -> None:
        """Store the delivery and log it. An alarm counts failed deliveries, so they are always logged."""
        self.deliveries.put_delivery(message, delivery)
        log = log_filter.counted if delivery.status is DeliveryStatus.FAILED else logger
        log.info("%s %s after attempt %d", message.message_id, delivery.status, attempts)


def _is_wanted(message: Message, subscription: Subscription, now: Micros) -> bool:
    """Return whether the message may be sent.

    After a subscription has ended, only the message about its end may be sent, for five minutes. A first attempt may be
    late, but a message that waited or was attempted is sent for 24 hours only.
    """
    seconds = END_SECONDS if message.type == ENDED else RETRY_SECONDS
    is_first = message.attempt == message.earlier and not message.waits
    in_time = is_first or now < times.add_seconds(message.first_at, seconds)
    return in_time and (message.type == ENDED or subscription.live(now))
