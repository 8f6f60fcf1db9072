"""Streams to a WebSocket connection: a wake makes it post the events after the subscription's position, in order.

The process may end after any step. The position moves only after the events up to it were posted and recorded, and the
wake is acknowledged only after that. So an event may be sent twice, but none is left out.
"""

import logging
from collections.abc import Callable, Sequence

from msgspec import Struct

from jobtrack import times
from jobtrack.push.delivery.attempt import Attempt
from jobtrack.push.delivery.delivery_table import DeliveryTable
from jobtrack.push.messages.delivery_queue import DeliveryQueue, delay_seconds
from jobtrack.push.messages.message import Message
from jobtrack.push.messages.poison import is_poison
from jobtrack.push.messages.wake import Wake
from jobtrack.push.subscriptions.message_factory import event_message, new_wake
from jobtrack.push.websockets.backlog import Backlog, BacklogPage
from jobtrack.push.websockets.management_api import ConnectionGone, ConnectionPostError
from jobtrack.push.websockets.socket_sender import SocketSender, socket_text
from jobtrack.push.websockets.stream_leases import LeaseBusy, StreamLease, StreamLeaseTable
from jobtrack.times import Micros

logger = logging.getLogger(__name__)

STREAM_SECONDS = 12
"""How long one invocation streams before another one continues."""
BATCH = 25
"""Messages between two moves of the position, and so the maximum that is posted again after a crash."""

Posted = tuple[Message, Attempt]


class _LeaseLost(Exception):
    """Another process has the lease, or the subscription has ended."""


class _TimeOver(Exception):
    """This invocation has streamed for long enough."""


class Streamer(Struct, eq=False):
    """Streams to the connections of subscriptions; safe for several threads and processes at once."""

    leases: StreamLeaseTable
    backlog: Backlog
    deliveries: DeliveryTable
    queue: DeliveryQueue
    sender: SocketSender
    clock: Callable[[], Micros] = times.now

    def serve(self, wake: Wake) -> None:
        """Stream the events after the position; when this returns, the wake may be acknowledged."""
        if delay_seconds(wake.not_before, self.clock()):
            self.queue.enqueue([wake])
            return
        try:
            lease = self.leases.acquire(wake)
        except LeaseBusy as busy:
            self.queue.enqueue([wake.later(busy.until)])
            return
        if lease:
            self._serve(wake, lease)

    def _serve(self, wake: Wake, lease: StreamLease) -> None:
        try:
            self._stream(lease)
        except _LeaseLost:
            # The lease may have expired, and then no other process continues.
            self.queue.enqueue([new_wake(lease.subscription)])
            return
        except _TimeOver:
            self.queue.enqueue([new_wake(lease.subscription)])
        except ConnectionGone:
            if self.sender.drop_connection(lease.subscription, lease.connection, lease.connected_at):
                return
            self.queue.enqueue([wake.after_failure(self.clock())])
        except ConnectionPostError as error:
            logger.warning("subscription %s: %s", lease.subscription.subscription_id, error)
            self.queue.enqueue([wake.after_failure(self.clock())])
        except Exception as error:
            if not is_poison(error):
                raise
            logger.exception("subscription %s could not be streamed to", lease.subscription.subscription_id)
            self.queue.enqueue([wake.after_failure(self.clock())])
        self.leases.release(lease)

    def _stream(self, lease: StreamLease) -> None:
        deadline = times.add_seconds(self.clock(), STREAM_SECONDS)
        for page in self.backlog.read_after(lease.subscription, lease.position):
            messages = _messages(lease, page, self.clock())
            for start in range(0, len(messages), BATCH):
                self._post_batch(lease, messages[start : start + BATCH], deadline)
            if not messages or messages[-1].sequence != page.position:
                self._advance(lease, page.position)

    def _post_batch(self, lease: StreamLease, messages: Sequence[Message], deadline: Micros) -> None:
        """Post the messages; if one fails, still record the messages before it."""
        posted: list[Posted] = []
        try:
            for message in messages:
                posted.append((message, self._post(lease, message, deadline)))
        except (_LeaseLost, _TimeOver, ConnectionPostError):
            self._record(lease, posted)
            raise
        self._record(lease, posted)

    def _post(self, lease: StreamLease, message: Message, deadline: Micros) -> Attempt:
        started = self.clock()
        if started >= deadline:
            raise _TimeOver
        if not self.leases.is_held(lease):
            raise _LeaseLost
        self.sender.sockets.post(lease.connection, socket_text(message))
        return Attempt(started, round(1000 * times.seconds_between(started, self.clock())), 200)

    def _record(self, lease: StreamLease, posted: Sequence[Posted]) -> None:
        if posted:
            self.deliveries.put_delivered(posted)
            self._advance(lease, posted[-1][0].sequence or 0)

    def _advance(self, lease: StreamLease, position: int) -> None:
        if not self.leases.advance(lease, position):
            raise _LeaseLost


def _messages(lease: StreamLease, page: BacklogPage, now: Micros) -> list[Message]:
    subscription = lease.subscription
    messages = (event_message(subscription.job, page.job_name, subscription, event, now) for event in page.events)
    return [message for message in messages if message is not None]
