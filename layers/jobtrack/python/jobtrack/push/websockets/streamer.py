"""From a wake to a WebSocket connection: the events after the subscription's position, one by one, in their order.

Every step may be the last of its process. The position is moved on only after the events up to it were posted and
noted, and the wake is acknowledged only after all of that: so what was not told is told again, and nothing is left out.
"""

import logging
import time
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
from jobtrack.push.websockets.socket_sender import SocketSender, text_of
from jobtrack.push.websockets.stream_leases import LeaseBusy, StreamLease, StreamLeaseTable

logger = logging.getLogger(__name__)

STREAM_SECONDS = 12
"""How long one invocation streams before it hands over to the next."""
BATCH = 25
"""Messages between two moves of the position: what is posted again at most after a crash."""

Posted = tuple[Message, Attempt]


class _Lost(Exception):
    """The lease is another's, or the subscription has ended."""


class _TimeOver(Exception):
    """This invocation has streamed long enough."""


class Streamer(Struct, eq=False):
    """Streams to subscriptions' connections; safe for several threads and processes at once."""

    leases: StreamLeaseTable
    backlog: Backlog
    deliveries: DeliveryTable
    queue: DeliveryQueue
    sender: SocketSender
    clock: Callable[[], float] = time.time

    def serve(self, wake: Wake) -> None:
        """Do what the wake asks for; when this returns, it may be acknowledged."""
        if delay_seconds(wake.not_before, self.clock()):
            self.queue.put([wake])
            return
        try:
            lease = self.leases.take(wake)
        except LeaseBusy as busy:
            self.queue.put([wake.later(busy.until)])
            return
        if lease:
            self._serve(wake, lease)

    def _serve(self, wake: Wake, lease: StreamLease) -> None:
        try:
            self._stream(lease)
        except _Lost:
            self.queue.put([new_wake(lease.subscription)])  # the lease may have run out, with nobody to take it over
            return
        except _TimeOver:
            self.queue.put([new_wake(lease.subscription)])
        except ConnectionGone:
            if self.sender.drop_connection(lease.subscription, lease.connection, lease.connected_at):
                return
            self.queue.put([wake.after_failure(self.clock())])
        except ConnectionPostError as error:
            logger.warning("subscription %s: %s", lease.subscription.subscription_id, error)
            self.queue.put([wake.after_failure(self.clock())])
        except Exception as error:
            if not is_poison(error):
                raise
            logger.exception("subscription %s could not be streamed to", lease.subscription.subscription_id)
            self.queue.put([wake.after_failure(self.clock())])
        self.leases.release(lease)

    def _stream(self, lease: StreamLease) -> None:
        deadline = self.clock() + STREAM_SECONDS
        for page in self.backlog.read_after(lease.subscription, lease.position):
            messages = _messages(lease, page, self.clock())
            for start in range(0, len(messages), BATCH):
                self._tell(lease, messages[start : start + BATCH], deadline)
            if not messages or messages[-1].sequence != page.position:
                self._advance(lease, page.position)

    def _tell(self, lease: StreamLease, messages: Sequence[Message], deadline: float) -> None:
        """Post the messages, and note those that were posted, whatever stopped the others."""
        posted: list[Posted] = []
        try:
            for message in messages:
                posted.append((message, self._post(lease, message, deadline)))
        except (_Lost, _TimeOver, ConnectionPostError):
            self._note(lease, posted)
            raise
        self._note(lease, posted)

    def _post(self, lease: StreamLease, message: Message, deadline: float) -> Attempt:
        started = self.clock()
        if started >= deadline:
            raise _TimeOver
        if not self.leases.holds(lease):
            raise _Lost
        self.sender.sockets.post(lease.connection, text_of(message))
        return Attempt(round(started * times.SECOND), round(1000 * (self.clock() - started)), 200)

    def _note(self, lease: StreamLease, posted: Sequence[Posted]) -> None:
        if posted:
            self.deliveries.put_delivered(posted)
            self._advance(lease, posted[-1][0].sequence or 0)

    def _advance(self, lease: StreamLease, position: int) -> None:
        if not self.leases.advance(lease, position):
            raise _Lost


def _messages(lease: StreamLease, page: BacklogPage, now: float) -> list[Message]:
    one = lease.subscription
    made = (event_message(one.job, page.job_name, one, event, now) for event in page.events)
    return [message for message in made if message is not None]
