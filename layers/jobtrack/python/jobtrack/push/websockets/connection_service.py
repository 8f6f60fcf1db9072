"""Serves WebSocket clients that connect, resume and disconnect."""

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
from jobtrack.store.snapshots import decode_snapshot, read_snapshot_item
from jobtrack.store.too_many_requests import write_with_retries
from jobtrack.times import Micros

OPENING_SECONDS = 1
"""Delay before the first post: API Gateway opens a connection only after `$connect` has returned."""
RESUME_SECONDS = 2
"""How long a client that reconnects has to send `resume` before streaming continues at the stored position."""
REFUSED = "refused"
"""The type of the response to a message that the client must not send."""


class ConnectionService(Struct, eq=False):
    """Serves the connections of subscriptions. Each subscription has one connection: the newest."""

    table: ConnectionTable
    subscriptions: SubscriptionTable
    jobs_table: str
    queue: DeliveryQueue
    sockets: ManagementApi
    clock: Callable[[], Micros] = times.now
    retry: Retry = RETRY

    def connect(self, ticket: str, connection_id: str) -> None:
        """Accept a client, close the previous connection, and stream the events after the subscription's position.

        Raises:
            Unauthorized: the ticket is unknown, used or expired, or its subscription has ended.
            JobBusy: other writers changed the subscription for two seconds.
        """
        wake, previous = write_with_retries(self.retry, lambda: self._connect(ticket, connection_id))
        self.queue.enqueue([wake])
        if previous:
            self.sockets.close(previous)

    def _connect(self, text: str, connection_id: str) -> tuple[Wake, str | None]:
        now, ticket = self.clock(), self.table.read_ticket(text)
        subscription = self.subscriptions.read_subscription(ticket.job, ticket.subscription_id) if ticket else None
        if not ticket or not subscription or not subscription.stream or not subscription.live(now):
            raise Unauthorized("The ticket is not valid.")
        is_reconnect = subscription.stream.connected_at is not None
        quiet_until = times.add_seconds(now, RESUME_SECONDS if is_reconnect else OPENING_SECONDS)
        self.table.attach(ticket, subscription, connection_id, quiet_until)
        return new_wake(subscription, not_before=quiet_until), subscription.stream.connection

    def receive(self, connection_id: str, body: str | None) -> None:
        """Serve a message of a client: `{"action": "resume", "sinceSequence": N}`; any other message is refused."""
        try:
            self._resume(connection_id, body)
        except JobTrackError as error:
            self._refuse(connection_id, error)

    def _resume(self, connection_id: str, body: str | None) -> None:
        sequence = _parse_since_sequence(body)
        ids = self.table.find_subscription(connection_id)
        subscription = self.subscriptions.read_subscription(*ids) if ids else None
        if not subscription or not subscription.stream or subscription.stream.connection != connection_id:
            self.sockets.close(connection_id)
            return
        self._check_since_sequence(subscription, sequence)
        # Two wakes: if this process ends between rewind and second wake, the first one arrives after the rewind.
        quiet_until = times.add_seconds(self.clock(), RESUME_SECONDS)
        self.queue.enqueue([new_wake(subscription, not_before=quiet_until)])
        if self.table.rewind(subscription.job, subscription.subscription_id, connection_id, sequence):
            self.queue.enqueue([new_wake(subscription)])

    def _check_since_sequence(self, subscription: Subscription, sequence: int) -> None:
        if not subscription.live(self.clock()):
            raise Unprocessable("The subscription has ended.")
        last = self._read_last_sequence(subscription.job)
        if sequence > last:
            raise Unprocessable(f"sinceSequence must be at most {last}, the job's last sequence.")

    def _read_last_sequence(self, job: JobKey) -> int:
        try:
            item = read_snapshot_item(self.subscriptions.dynamodb, self.jobs_table, job)
        except NotFound as error:
            raise Unprocessable("The job has been deleted.") from error
        return decode_snapshot(job, item).job.sequence

    def _refuse(self, connection_id: str, error: JobTrackError) -> None:
        message = {
            "type": REFUSED,
            "timestamp": times.render(times.whole(self.clock())),
            "data": {"code": error.code, "detail": error.detail},
        }
        try:
            self.sockets.post(connection_id, orjson.dumps(message).decode())
        except ConnectionPostError:
            return  # the client has disconnected


def create_connection_service(settings: Settings) -> ConnectionService:
    """Return the service of this stack."""
    dynamodb = aws.client("dynamodb")
    return ConnectionService(
        ConnectionTable(dynamodb, settings.subscriptions_table),
        SubscriptionTable(dynamodb, settings.subscriptions_table),
        settings.jobs_table,
        DeliveryQueue(aws.client("sqs"), settings.delivery_queue_url),
        ManagementApi(aws.websockets(settings.websocket_endpoint)),
    )


def disconnect(table: ConnectionTable, connection_id: str) -> None:
    """Remove the connection of a client that has disconnected, if it is stored."""
    if ids := table.find_subscription(connection_id):
        table.detach(*ids, connection_id)


def _parse_since_sequence(body: str | None) -> int:
    """Return the sequence after which the client resumes.

    Raises:
        Unprocessable: the message is not a valid `resume`.
    """
    try:
        message = orjson.loads(body or "")
    except orjson.JSONDecodeError as error:
        raise Unprocessable("A message must be JSON.") from error
    if not isinstance(message, dict) or message.get("action") != "resume":
        raise Unprocessable('The only action is {"action": "resume", "sinceSequence": N}.')
    sequence = message.get("sinceSequence")
    if type(sequence) is not int or not 0 <= sequence <= limits.NUMBER:
        raise Unprocessable("sinceSequence must be a sequence: a whole number, 0 or greater.")
    return sequence
