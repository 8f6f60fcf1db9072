"""SQS's operations that this project uses: standard queues with delays, visibility time-outs and dead-letter queues.

Rules: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html
"""

import json
import re
import sqlite3
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jobtrack_local.engine.sqlite import messages
from jobtrack_local.engine.sqlite.database import Database
from jobtrack_local.engine.sqlite.messages import ACCOUNT, Redrive
from jobtrack_local.engine.sqlite.refusals import Refused

REGION = "us-east-1"
URL = "https://sqs.local/"
DEFAULT_RETENTION_SECONDS = 4 * 24 * 3600

_TABLES = (
    "CREATE TABLE IF NOT EXISTS queues (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, attributes TEXT NOT NULL)",
    *messages.TABLES,
)

Params = Mapping[str, Any]
Response = dict[str, Any]


@dataclass(frozen=True)
class _Queue:
    """A queue and its settings; times are in seconds."""

    id: int
    attributes: Mapping[str, str]

    @property
    def topic(self) -> object:
        """The topic of the database that announces messages."""
        return "queue", self.id

    def seconds(self, name: str, default: float) -> float:
        return float(self.attributes.get(name, default))

    @property
    def redrive(self) -> Redrive | None:
        policy = json.loads(self.attributes.get("RedrivePolicy", "{}"))
        return Redrive(_name(policy["deadLetterTargetArn"]), int(policy["maxReceiveCount"])) if policy else None


class Sqs:
    """The queues of a database file; time is epoch seconds."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock
        self._queues: dict[str, _Queue] = {}
        self._consumed: set[int] = set()
        database.write(lambda connection: [connection.execute(statement) for statement in _TABLES])

    def create_queue(self, params: Params) -> Response:
        """Create a queue."""
        name, attributes = params["QueueName"], params.get("Attributes", {})
        self._database.write(
            lambda connection: connection.execute(
                "INSERT INTO queues (name, attributes) VALUES (?, ?) ON CONFLICT (name) DO NOTHING",
                (name, json.dumps(attributes)),
            )
        )
        return {"QueueUrl": URL + name}

    def get_queue_url(self, params: Params) -> Response:
        """Return a queue's URL."""
        self._queue(URL + params["QueueName"])
        return {"QueueUrl": URL + params["QueueName"]}

    def set_queue_attributes(self, params: Params) -> Response:
        """Change settings of a queue. An empty redrive policy means that there is none."""
        name, queue = _name(params["QueueUrl"]), self._queue(params["QueueUrl"])
        settings = {n: v for n, v in {**queue.attributes, **params["Attributes"]}.items() if v}
        row = json.dumps(settings), queue.id
        self._database.write(
            lambda connection: connection.execute("UPDATE queues SET attributes = ? WHERE id = ?", row)
        )
        self._queues[name] = _Queue(queue.id, settings)
        return {}

    def get_queue_attributes(self, params: Params) -> Response:
        """Return a queue's settings, its ARN and how many messages wait or are being handled."""
        queue = self._queue(params["QueueUrl"])
        row = self._database.reader.execute(
            "SELECT count(*) FILTER (WHERE visible <= :now), count(*) FILTER (WHERE visible > :now AND receives > 0),"
            " count(*) FILTER (WHERE visible > :now AND receives = 0) FROM messages WHERE queue_id = :queue",
            {"now": self._clock(), "queue": queue.id},
        ).fetchone()
        counts = ("", "NotVisible", "Delayed")
        everything = {
            "QueueArn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:{_name(params['QueueUrl'])}",
            **queue.attributes,
            **{f"ApproximateNumberOfMessages{name}": str(count) for name, count in zip(counts, row, strict=True)},
        }
        wanted = params.get("AttributeNames", [])
        return {"Attributes": {n: v for n, v in everything.items() if "All" in wanted or n in wanted}}

    def send_message(self, params: Params) -> Response:
        """Send one message."""
        (sent,) = self._send(params["QueueUrl"], [params])
        return sent

    def send_message_batch(self, params: Params) -> Response:
        """Send up to 10 messages."""
        entries = params["Entries"]
        messages.check_entries(entries)
        sent = self._send(params["QueueUrl"], entries)
        return {
            "Successful": [{"Id": entry["Id"], **each} for entry, each in zip(entries, sent, strict=True)],
            "Failed": [],
        }

    def _send(self, url: str, entries: Sequence[Params]) -> list[Response]:
        queue, now = self._queue(url), self._clock()
        messages.check_sizes(entries)
        rows = [messages.row(queue.id, entry, now, queue.seconds("DelaySeconds", 0)) for entry in entries]

        def insert(connection: sqlite3.Connection) -> None:
            messages.insert(connection, rows)
            self._database.announce(queue.topic)

        self._database.write(insert)
        return [{"MessageId": row[1], "MD5OfMessageBody": messages.md5(row[3])} for row in rows]

    def receive_message(self, params: Params) -> Response:
        """Return messages that are due. There is no long polling: a poller is woken instead (`subscribe`)."""
        if params.get("WaitTimeSeconds"):
            raise Refused("UnsupportedOperation", "The engine has no long polling.")
        queue, now = self._queue(params["QueueUrl"]), self._clock()
        if self._seconds_to_next(queue) != 0:
            return {}
        most = params.get("MaxNumberOfMessages", 1)
        seconds = params.get("VisibilityTimeout", queue.seconds("VisibilityTimeout", 30))

        def receive(connection: sqlite3.Connection) -> list[Response]:
            if queue.redrive:
                messages.move_dead(connection, queue.id, queue.redrive, now)
            return messages.receive(connection, queue.id, most, now, seconds)

        received = self._database.write(receive)
        return {"Messages": received} if received else {}

    def subscribe(self, url: str, wake: Callable[[], None]) -> None:
        """Call the consumer's `wake` after each commit that may make a message of the queue due earlier.

        From now on, messages of this queue are not purged, because messages that waited without a consumer would be
        lost.
        """
        self._consumed.add(self._queue(url).id)
        self._database.subscribe(self._queue(url).topic, wake)

    def seconds_to_next(self, url: str) -> float | None:
        """Return the seconds until a message of the queue is due, None if the queue is empty.

        If this is longer than a message can wait, the clock was set back, and the messages are released.
        """
        queue = self._queue(url)
        seconds = self._seconds_to_next(queue)
        if seconds and seconds > max(messages.LONGEST_DELAY, queue.seconds("VisibilityTimeout", 30)):
            self.release()
            return 0
        return seconds

    def _seconds_to_next(self, queue: _Queue) -> float | None:
        query = "SELECT min(visible) FROM messages WHERE queue_id = ?"
        (visible,) = self._database.reader.execute(query, (queue.id,)).fetchone()
        return None if visible is None else max(0.0, visible - self._clock())

    def delete_message(self, params: Params) -> Response:
        """Delete a message."""
        self._delete(params["QueueUrl"], [params["ReceiptHandle"]])
        return {}

    def delete_message_batch(self, params: Params) -> Response:
        """Delete up to 10 messages; the handle must be that of the last receive."""
        entries = params["Entries"]
        messages.check_entries(entries)
        self._delete(params["QueueUrl"], [entry["ReceiptHandle"] for entry in entries])
        return {"Successful": [{"Id": entry["Id"]} for entry in entries], "Failed": []}

    def _delete(self, url: str, handles: Iterable[str]) -> None:
        queue = self._queue(url)
        rows = [(queue.id, *messages.parse_handle(handle)) for handle in handles]
        self._database.write(
            lambda connection: connection.executemany(
                "DELETE FROM messages WHERE queue_id = ? AND id = ? AND receives = ?", rows
            )
        )

    def change_message_visibility(self, params: Params) -> Response:
        """Make a message visible again after a number of seconds."""
        queue = self._queue(params["QueueUrl"])
        visible = self._clock() + params["VisibilityTimeout"]
        row = (visible, queue.id, *messages.parse_handle(params["ReceiptHandle"]))

        def update(connection: sqlite3.Connection) -> None:
            connection.execute("UPDATE messages SET visible = ? WHERE queue_id = ? AND id = ? AND receives = ?", row)
            self._database.announce(queue.topic)

        self._database.write(update)
        return {}

    def release(self) -> None:
        """Make every received message visible. The caller knows that the processes that received them have ended.

        SQS would wait for the visibility timeout, because it cannot know that.
        """
        self._database.write(lambda connection: messages.release(connection, self._clock()))

    def purge(self, most: int) -> int:
        """Delete up to `most` messages that are older than their queue keeps them; returns how many there were."""
        reader, now = self._database.reader, self._clock()
        oldest = [
            (id, now - float(json.loads(text).get("MessageRetentionPeriod", DEFAULT_RETENTION_SECONDS)))
            for id, text in reader.execute("SELECT id, attributes FROM queues").fetchall()
            if id not in self._consumed
        ]
        expired = messages.find_expired(reader, oldest, most)  # not in the write, which delays all others
        self._database.write(lambda connection: messages.delete_expired(connection, expired))
        return len(expired)

    def _queue(self, url: str) -> _Queue:
        name = _name(url)
        if name not in self._queues:
            query = "SELECT id, attributes FROM queues WHERE name = ?"
            row = self._database.reader.execute(query, (name,)).fetchone()
            if row is None:
                raise Refused("QueueDoesNotExist", "The specified queue does not exist.")
            self._queues[name] = _Queue(row[0], json.loads(row[1]))
        return self._queues[name]


def _name(place: str) -> str:
    """Return the queue's name in its URL or ARN."""
    return re.split("[/:]", place)[-1]
