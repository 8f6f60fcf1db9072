"""What happens when a WebSocket client connects, asks to resume, and leaves."""

import time
from collections.abc import Callable

import orjson
from msgspec import Struct

from jobtrack import aws, limits, times
from jobtrack.errors import JobTrackError, NotFound, Unauthorized, Unprocessable
from jobtrack.keys import JobKey
from jobtrack.push.messages.delivery_queue import DeliveryQueue
from jobtrack.push.messages.wake import Wake
from jobtrack.push.subscriptions.message_factory import new_wake
from jobtrack.push.subscriptions.subscription import Subscription
from jobtrack.push.subscriptions.subscription_table import SubscriptionTable
from jobtrack.push.websockets.connection_table import ConnectionTable
from jobtrack.push.websockets.management_api import ConnectionPostError, ManagementApi
from jobtrack.retry import RETRY, Retry
from jobtrack.settings import Settings
from jobtrack.store.conflict_retry import write_with_retries
from jobtrack.store.snapshots import decode_snapshot, read_snapshot_item

OPENING_SECONDS = 1
"""API Gateway opens a connection only after it was let in: until then it cannot be posted to."""
RESUME_SECONDS = 2
"""How long a client that connects again may take to say where it resumes, before the subscription goes on by itself."""
REFUSED = "refused"
"""The type of the message that answers what a client should not have sent."""


class ConnectionService(Struct, eq=False):
    """The connections of subscriptions: each has one, the newest."""

    table: ConnectionTable
    subscriptions: SubscriptionTable
    jobs_table: str
    queue: DeliveryQueue
    sockets: ManagementApi
    clock: Callable[[], float] = time.time
    retry: Retry = RETRY

    def connect(self, ticket: str, connection_id: str) -> None:
        """Let a client in, in place of the one before; it is told what follows the subscription's position.

        Raises:
            Unauthorized: the ticket is unknown, used or too old, or its subscription has ended.
            JobBusy: the subscription changed for two seconds.
        """
        wake, older = write_with_retries(self.retry, lambda: self._connect(ticket, connection_id))
        self.queue.put([wake])
        if older:
            self.sockets.close(older)

    def _connect(self, ticket: str, connection_id: str) -> tuple[Wake, str | None]:
        now, opens = self.clock(), self.table.ticket(ticket)
        subscription = self.subscriptions.get(opens.job, opens.subscription_id) if opens else None
        if not opens or not subscription or not subscription.stream or not subscription.live(now):
            raise Unauthorized("The ticket is not valid.")
        known = subscription.stream.connected_at is not None
        quiet_until = now + (RESUME_SECONDS if known else OPENING_SECONDS)
        self.table.attach(opens, subscription, connection_id, quiet_until)
        return new_wake(subscription, not_before=quiet_until), subscription.stream.connection

    def receive(self, connection_id: str, body: str | None) -> None:
        """Serve what a client sent: `{"action": "resume", "sinceSequence": N}`; all else is answered as refused."""
        try:
            self._resume(connection_id, body)
        except JobTrackError as error:
            self._refuse(connection_id, error)

    def _resume(self, connection_id: str, body: str | None) -> None:
        sequence = _since(body)
        found = self.table.find(connection_id)
        subscription = self.subscriptions.get(*found) if found else None
        if not subscription or not subscription.stream or subscription.stream.connection != connection_id:
            self.sockets.close(connection_id)
            return
        self._check(subscription, sequence)
        # Two wakes: should this process end between the change and the second one, the first comes after it.
        self.queue.put([new_wake(subscription, not_before=self.clock() + RESUME_SECONDS)])
        if self.table.rewind(subscription.job, subscription.subscription_id, connection_id, sequence):
            self.queue.put([new_wake(subscription)])

    def _check(self, subscription: Subscription, sequence: int) -> None:
        if not subscription.live(self.clock()):
            raise Unprocessable("The subscription has ended.")
        last = self._last(subscription.job)
        if sequence > last:
            raise Unprocessable(f"sinceSequence must be at most {last}, the job's last sequence.")

    def _last(self, job: JobKey) -> int:
        try:
            return decode_snapshot(
                job, read_snapshot_item(self.subscriptions.dynamodb, self.jobs_table, job)
            ).job.sequence
        except NotFound as error:
            raise Unprocessable("The job is no longer kept.") from error

    def _refuse(self, connection_id: str, error: JobTrackError) -> None:
        told = {"code": error.code, "detail": error.detail}
        answer = {"type": REFUSED, "timestamp": times.render(int(self.clock()) * times.SECOND), "data": told}
        try:
            self.sockets.post(connection_id, orjson.dumps(answer).decode())
        except ConnectionPostError:
            return  # who has left needs no answer


def assembled(settings: Settings) -> ConnectionService:
    """The connections of this stack."""
    dynamodb = aws.client("dynamodb")
    return ConnectionService(
        ConnectionTable(dynamodb, settings.subscriptions_table),
        SubscriptionTable(dynamodb, settings.subscriptions_table),
        settings.jobs_table,
        DeliveryQueue(aws.client("sqs"), settings.delivery_queue_url),
        ManagementApi(aws.websockets(settings.websocket_endpoint)),
    )


def leave(table: ConnectionTable, connection_id: str) -> None:
    """Note that a client has left, if it was known."""
    if found := table.find(connection_id):
        table.forget(*found, connection_id)


def _since(body: str | None) -> int:
    """The sequence to resume after.

    Raises:
        Unprocessable: the message asks for something else.
    """
    try:
        asked = orjson.loads(body or "")
    except orjson.JSONDecodeError as error:
        raise Unprocessable("A message must be JSON.") from error
    if not isinstance(asked, dict) or asked.get("action") != "resume":
        raise Unprocessable('The only action is {"action": "resume", "sinceSequence": N}.')
    sequence = asked.get("sinceSequence")
    if type(sequence) is not int or not 0 <= sequence <= limits.NUMBER:
        raise Unprocessable("sinceSequence must be a sequence: a whole number, 0 or greater.")
    return sequence
