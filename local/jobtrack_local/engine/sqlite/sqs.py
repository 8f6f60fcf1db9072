"""SQS's operations that this project uses: standard queues with delays, visibility time-outs and dead-letter queues.

Rules: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html
"""

import hashlib
import json
import sqlite3
import threading
import time
import uuid
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import zip_longest
from typing import Any

from jobtrack_local.engine.sqlite.database import Database
from jobtrack_local.engine.sqlite.refusals import Refused

ACCOUNT, REGION = "000000000000", "us-east-1"
URL = "https://sqs.local/"
MOST_ENTRIES = 10
LARGEST_MESSAGE = 1024 * 1024
"""Bytes of a message, and of all messages of a batch."""
LONGEST_DELAY = 900
DEFAULT_RETENTION_SECONDS = 4 * 24 * 3600
_CANDIDATES = 500
"""Due messages that one receive looks at, to share itself out among groups."""

_TABLES = (
    "CREATE TABLE IF NOT EXISTS queues (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, attributes TEXT NOT NULL)",
    """CREATE TABLE IF NOT EXISTS messages (
      id INTEGER PRIMARY KEY AUTOINCREMENT, queue_id INTEGER NOT NULL, name TEXT NOT NULL, group_id TEXT,
      body TEXT NOT NULL, attributes TEXT NOT NULL, system TEXT NOT NULL, sent REAL NOT NULL, visible REAL NOT NULL,
      receives INTEGER NOT NULL DEFAULT 0, first REAL
    )""",
    "CREATE INDEX IF NOT EXISTS due_messages ON messages (queue_id, visible)",
)

Params = Mapping[str, Any]
Response = dict[str, Any]


class Sqs:
    """The queues of a database file; time is epoch seconds."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock
        self._changed = threading.Condition()
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

    def get_queue_attributes(self, params: Params) -> Response:
        """Return a queue's settings, its ARN and how many messages wait or are being handled."""
        queue, attributes = self._queue(params["QueueUrl"])
        row = self._database.reader.execute(
            "SELECT count(*) FILTER (WHERE visible <= :now), count(*) FILTER (WHERE visible > :now AND receives > 0),"
            " count(*) FILTER (WHERE visible > :now AND receives = 0) FROM messages WHERE queue_id = :queue",
            {"now": self._clock(), "queue": queue},
        ).fetchone()
        counts = ("", "NotVisible", "Delayed")
        everything = {
            "QueueArn": _arn(params["QueueUrl"].removeprefix(URL)),
            **attributes,
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
        _check_entries(entries)
        sent = self._send(params["QueueUrl"], entries)
        return {
            "Successful": [{"Id": entry["Id"], **each} for entry, each in zip(entries, sent, strict=True)],
            "Failed": [],
        }

    def _send(self, url: str, entries: Sequence[Params]) -> list[Response]:
        queue, attributes = self._queue(url)
        _check_sizes(entries)
        now, default = self._clock(), float(attributes.get("DelaySeconds", 0))
        rows = [_row(queue, entry, now, now + _delay(entry, default)) for entry in entries]
        self._database.write(
            lambda connection: connection.executemany(
                "INSERT INTO messages (queue_id, name, group_id, body, attributes, system, sent, visible)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                rows,
            )
        )
        self._notify()
        return [{"MessageId": row[1], "MD5OfMessageBody": _md5(row[3])} for row in rows]

    def receive_message(self, params: Params) -> Response:
        """Return messages that are due; waits for them if it is asked to."""
        queue, attributes = self._queue(params["QueueUrl"])
        seconds = float(params.get("VisibilityTimeout", attributes.get("VisibilityTimeout", 30)))
        most, ends = params.get("MaxNumberOfMessages", 1), time.monotonic() + params.get("WaitTimeSeconds", 0)
        while True:
            messages: list[Response] = []
            if self._due(queue):
                messages = self._database.write(
                    lambda connection: self._take(connection, queue, attributes, most, seconds)
                )
            left = ends - time.monotonic()
            if messages or left <= 0:
                return {"Messages": messages} if messages else {}
            self._wait(queue, left)

    def _due(self, queue: int) -> bool:
        query = "SELECT 1 FROM messages WHERE queue_id = ? AND visible <= ? LIMIT 1"
        return self._database.reader.execute(query, (queue, self._clock())).fetchone() is not None

    def _wait(self, queue: int, seconds: float) -> None:
        """Wait until a message may be due, or for that long."""
        with self._changed:
            query = "SELECT min(visible) FROM messages WHERE queue_id = ?"
            (visible,) = self._database.reader.execute(query, (queue,)).fetchone()
            pause = seconds if visible is None else min(seconds, visible - self._clock())
            if pause > 0:
                self._changed.wait(pause)

    def _notify(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def _take(
        self, connection: sqlite3.Connection, queue: int, attributes: Mapping[str, str], most: int, seconds: float
    ) -> list[Response]:
        now = self._clock()
        _move_dead(connection, queue, attributes, now)
        due = connection.execute(
            "SELECT id, group_id FROM messages WHERE queue_id = ? AND visible <= ? ORDER BY visible, id LIMIT ?",
            (queue, now, _CANDIDATES),
        ).fetchall()
        chosen = _fair(due, _handled_groups(connection, queue, now), most)
        connection.executemany(
            "UPDATE messages SET visible = ?, receives = receives + 1, first = coalesce(first, ?) WHERE id = ?",
            [(now + seconds, now, id) for id in chosen],
        )
        return [_message(connection, id) for id in chosen]

    def delete_message(self, params: Params) -> Response:
        """Delete a message."""
        self._delete(params["QueueUrl"], [params["ReceiptHandle"]])
        return {}

    def delete_message_batch(self, params: Params) -> Response:
        """Delete up to 10 messages; the handle must be that of the last receive."""
        entries = params["Entries"]
        _check_entries(entries)
        self._delete(params["QueueUrl"], [entry["ReceiptHandle"] for entry in entries])
        return {"Successful": [{"Id": entry["Id"]} for entry in entries], "Failed": []}

    def _delete(self, url: str, handles: Iterable[str]) -> None:
        queue, _ = self._queue(url)
        rows = [(queue, *_parsed(handle)) for handle in handles]
        self._database.write(
            lambda connection: connection.executemany(
                "DELETE FROM messages WHERE queue_id = ? AND id = ? AND receives = ?", rows
            )
        )

    def change_message_visibility(self, params: Params) -> Response:
        """Make a message visible again after a number of seconds."""
        queue, _ = self._queue(params["QueueUrl"])
        visible = self._clock() + params["VisibilityTimeout"]
        row = (visible, queue, *_parsed(params["ReceiptHandle"]))
        self._database.write(
            lambda connection: connection.execute(
                "UPDATE messages SET visible = ? WHERE queue_id = ? AND id = ? AND receives = ?", row
            )
        )
        self._notify()
        return {}

    def release(self) -> None:
        """Make every received message visible. The caller knows that the process that received it has ended.

        SQS would wait for the visibility timeout, because it cannot know that.
        """
        now = self._clock()
        self._database.write(
            lambda connection: connection.execute(
                "UPDATE messages SET visible = ? WHERE visible > ? AND receives > 0", (now, now)
            )
        )
        self._notify()

    def purge(self, most: int) -> int:
        """Delete up to `most` messages that are older than their queue keeps them; returns how many there were."""
        expired = self._expired(most)  # not part of the write, so that no other write waits for the search
        self._database.write(
            lambda connection: connection.executemany("DELETE FROM messages WHERE id = ? AND queue_id = ?", expired)
        )
        return len(expired)

    def _expired(self, most: int) -> list[tuple[int, int]]:
        """Return messages, with their queues, that have expired."""
        reader, now = self._database.reader, self._clock()
        limits = [
            (id, now - float(json.loads(text).get("MessageRetentionPeriod", DEFAULT_RETENTION_SECONDS)))
            for id, text in reader.execute("SELECT id, attributes FROM queues").fetchall()
        ]
        query = "SELECT id, queue_id FROM messages WHERE queue_id = ? AND sent < ? LIMIT ?"
        return [row for queue, limit in limits for row in reader.execute(query, (queue, limit, most))][:most]

    def _queue(self, url: str) -> tuple[int, Mapping[str, str]]:
        name = url.rpartition("/")[2]
        row = self._database.reader.execute("SELECT id, attributes FROM queues WHERE name = ?", (name,)).fetchone()
        if row is None:
            raise Refused("QueueDoesNotExist", "The specified queue does not exist.")
        return row[0], json.loads(row[1])


def _arn(name: str) -> str:
    return f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}"


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def _row(queue: int, entry: Params, now: float, visible: float) -> tuple[Any, ...]:
    attributes = json.dumps(entry.get("MessageAttributes", {}))
    system = json.dumps({n: value["StringValue"] for n, value in entry.get("MessageSystemAttributes", {}).items()})
    name = str(uuid.uuid4())
    return queue, name, entry.get("MessageGroupId"), entry["MessageBody"], attributes, system, now, visible


def _delay(entry: Params, default: float) -> float:
    seconds = float(entry.get("DelaySeconds", default))
    if not 0 <= seconds <= LONGEST_DELAY:
        raise Refused("InvalidParameterValue", f"Value {seconds:g} for parameter DelaySeconds is invalid.")
    return seconds


def _check_entries(entries: Sequence[Params]) -> None:
    if not entries:
        raise Refused("EmptyBatchRequest", "There should be at least one entry in the request.")
    if len(entries) > MOST_ENTRIES:
        raise Refused("TooManyEntriesInBatchRequest", "Maximum number of entries per request are 10.")
    if len({entry["Id"] for entry in entries}) < len(entries):
        raise Refused("BatchEntryIdsNotDistinct", "Two or more batch entries have the same Id.")


def _check_sizes(entries: Sequence[Params]) -> None:
    if sum(len(entry["MessageBody"].encode()) for entry in entries) > LARGEST_MESSAGE:
        raise Refused("BatchRequestTooLong", "Batch requests cannot be longer than 1048576 bytes.")


def _parsed(handle: str) -> tuple[int, int]:
    """Return the message's number and its receive count from a handle."""
    id, _, receives = handle.partition("-")
    if not (id.isdigit() and receives.isdigit()):
        raise Refused("ReceiptHandleIsInvalid", "The input receipt handle is invalid.")
    return int(id), int(receives)


def _move_dead(connection: sqlite3.Connection, queue: int, attributes: Mapping[str, str], now: float) -> None:
    """Move due messages that were received too often to the dead-letter queue."""
    policy = json.loads(attributes.get("RedrivePolicy", "{}"))
    if not policy:
        return
    connection.execute(
        "UPDATE messages SET queue_id = (SELECT id FROM queues WHERE name = ?), visible = ?, receives = 0, first = NULL"
        " WHERE queue_id = ? AND visible <= ? AND receives >= ?",
        (policy["deadLetterTargetArn"].rpartition(":")[2], now, queue, now, int(policy["maxReceiveCount"])),
    )


def _handled_groups(connection: sqlite3.Connection, queue: int, now: float) -> Counter[str | None]:
    """Return how many messages of each group are being handled."""
    rows = connection.execute(
        "SELECT group_id, count(*) FROM messages WHERE queue_id = ? AND visible > ? AND receives > 0 GROUP BY group_id",
        (queue, now),
    )
    return Counter(dict(rows.fetchall()))


def _fair(due: Sequence[tuple[int, str | None]], handled: Counter[str | None], most: int) -> list[int]:
    """Return the messages to hand out: in turns from each group, first from the group with the fewest being handled.

    SQS's fair queues delay the groups that occupy many consumers, in the same way:
    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-fair-queues.html
    """
    groups: defaultdict[str | None, list[int]] = defaultdict(list)
    for id, group in due:
        groups[group].append(id)
    ordered = sorted(groups.items(), key=lambda entry: handled[entry[0]])
    turns = zip_longest(*(ids for _, ids in ordered))
    return [id for turn in turns for id in turn if id is not None][:most]


def _message(connection: sqlite3.Connection, id: int) -> Response:
    name, group, body, attributes, system, sent, receives, first = connection.execute(
        "SELECT name, group_id, body, attributes, system, sent, receives, first FROM messages WHERE id = ?", (id,)
    ).fetchone()
    message: Response = {
        "MessageId": name,
        "ReceiptHandle": f"{id}-{receives}",
        "MD5OfBody": _md5(body),
        "Body": body,
        "Attributes": {
            "SenderId": ACCOUNT,
            "SentTimestamp": str(int(sent * 1000)),
            "ApproximateReceiveCount": str(receives),
            "ApproximateFirstReceiveTimestamp": str(int(first * 1000)),
            **({"MessageGroupId": group} if group is not None else {}),
            **json.loads(system),
        },
    }
    if attributes != "{}":
        message["MessageAttributes"] = json.loads(attributes)
    return message
