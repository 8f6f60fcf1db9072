"""Messages of queues in a SQLite table: sent, received in turns from each group, and moved to dead-letter queues.

A message is due at `visible`. Receiving it moves that time by the visibility timeout.
"""

import hashlib
import json
import sqlite3
import uuid
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from jobtrack_local.engine.sqlite.refusals import Refused

ACCOUNT = "000000000000"
MOST_ENTRIES = 10
LARGEST_MESSAGE = 1024 * 1024
"""Bytes of a message, and of all messages of a batch."""
LONGEST_DELAY = 900
_CANDIDATES = 500
"""Due messages that one receive looks at, to share itself out among groups."""

TABLES = (
    """CREATE TABLE IF NOT EXISTS messages (
      id INTEGER PRIMARY KEY AUTOINCREMENT, queue_id INTEGER NOT NULL, name TEXT NOT NULL, group_id TEXT,
      body TEXT NOT NULL, attributes TEXT NOT NULL, system TEXT NOT NULL, sent REAL NOT NULL, visible REAL NOT NULL,
      receives INTEGER NOT NULL DEFAULT 0, first REAL
    )""",
    "CREATE INDEX IF NOT EXISTS due_messages ON messages (queue_id, visible)",
)


@dataclass(frozen=True)
class Redrive:
    """The dead-letter queue of a queue, by its name, and how often a message is received before it moves there."""

    name: str
    most_receives: int


def row(queue: int, entry: Mapping[str, Any], now: float, delay: float) -> tuple[Any, ...]:
    """Return the columns of a new message, which is due after its own delay, or the queue's delay if it has none."""
    attributes = json.dumps(entry.get("MessageAttributes", {}))
    system = json.dumps({n: value["StringValue"] for n, value in entry.get("MessageSystemAttributes", {}).items()})
    name = str(uuid.uuid4())
    return (
        queue,
        name,
        entry.get("MessageGroupId"),
        entry["MessageBody"],
        attributes,
        system,
        now,
        now + _delay(entry, delay),
    )


def _delay(entry: Mapping[str, Any], default: float) -> float:
    seconds = float(entry.get("DelaySeconds", default))
    if not 0 <= seconds <= LONGEST_DELAY:
        raise Refused("InvalidParameterValue", f"Value {seconds:g} for parameter DelaySeconds is invalid.")
    return seconds


def insert(connection: sqlite3.Connection, rows: Sequence[tuple[Any, ...]]) -> None:
    """Add messages."""
    connection.executemany(
        "INSERT INTO messages (queue_id, name, group_id, body, attributes, system, sent, visible)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        rows,
    )


def receive(connection: sqlite3.Connection, queue: int, most: int, now: float, seconds: float) -> list[dict[str, Any]]:
    """Return due messages, and hide them for `seconds`."""
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


def move_dead(connection: sqlite3.Connection, queue: int, redrive: Redrive, now: float) -> None:
    """Move due messages that were received too often to the dead-letter queue."""
    connection.execute(
        "UPDATE messages SET queue_id = (SELECT id FROM queues WHERE name = ?), visible = ?, receives = 0, first = NULL"
        " WHERE queue_id = ? AND visible <= ? AND receives >= ?",
        (redrive.name, now, queue, now, redrive.most_receives),
    )


def release(connection: sqlite3.Connection, now: float) -> None:
    """Make received messages due, and messages with an impossibly long delay, because the clock was set back."""
    connection.execute(
        "UPDATE messages SET visible = ? WHERE visible > ? AND (receives > 0 OR visible > ?)",
        (now, now, now + LONGEST_DELAY),
    )


def find_expired(
    connection: sqlite3.Connection, oldest: Sequence[tuple[int, float]], most: int
) -> list[tuple[int, int]]:
    """Return up to `most` messages, with their queues, that were sent before the time given for their queue."""
    query = "SELECT id, queue_id FROM messages WHERE queue_id = ? AND sent < ? LIMIT ?"
    return [row for queue, sent in oldest for row in connection.execute(query, (queue, sent, most))][:most]


def delete_expired(connection: sqlite3.Connection, expired: Sequence[tuple[int, int]]) -> None:
    """Delete messages that are still in the queue in which they expired."""
    connection.executemany("DELETE FROM messages WHERE id = ? AND queue_id = ?", expired)


def parse_handle(handle: str) -> tuple[int, int]:
    """Return the message's number and its receive count from a handle."""
    id, _, receives = handle.partition("-")
    if not (id.isdigit() and receives.isdigit()):
        raise Refused("ReceiptHandleIsInvalid", "The input receipt handle is invalid.")
    return int(id), int(receives)


def md5(text: str) -> str:
    """Return the checksum by which clients verify a body."""
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def _handled_groups(connection: sqlite3.Connection, queue: int, now: float) -> Counter[str | None]:
    """Return how many messages of each group are being handled."""
    rows = connection.execute(
        "SELECT group_id, count(*) FROM messages WHERE queue_id = ? AND visible > ? AND receives > 0 GROUP BY group_id",
        (queue, now),
    )
    return Counter(dict(rows.fetchall()))


def _fair(due: Sequence[tuple[int, str | None]], handled: Counter[str | None], most: int) -> list[int]:
    """Return messages in turns from each group, first from the group with the fewest messages in flight.

    SQS's fair queues delay the groups that occupy many consumers, in the same way:
    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-fair-queues.html
    """
    groups: defaultdict[str | None, list[int]] = defaultdict(list)
    for id, group in due:
        groups[group].append(id)
    ordered = sorted(groups.items(), key=lambda entry: handled[entry[0]])
    turns = zip_longest(*(ids for _, ids in ordered))
    return [id for turn in turns for id in turn if id is not None][:most]


def _message(connection: sqlite3.Connection, id: int) -> dict[str, Any]:
    name, group, body, attributes, system, sent, receives, first = connection.execute(
        "SELECT name, group_id, body, attributes, system, sent, receives, first FROM messages WHERE id = ?", (id,)
    ).fetchone()
    message: dict[str, Any] = {
        "MessageId": name,
        "ReceiptHandle": f"{id}-{receives}",
        "MD5OfBody": md5(body),
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


def check_entries(entries: Sequence[Mapping[str, Any]]) -> None:
    """Refuse a batch without entries, with too many, or with equal ids."""
    if not entries:
        raise Refused("EmptyBatchRequest", "There should be at least one entry in the request.")
    if len(entries) > MOST_ENTRIES:
        raise Refused("TooManyEntriesInBatchRequest", "Maximum number of entries per request are 10.")
    if len({entry["Id"] for entry in entries}) < len(entries):
        raise Refused("BatchEntryIdsNotDistinct", "Two or more batch entries have the same Id.")


def check_sizes(entries: Sequence[Mapping[str, Any]]) -> None:
    """Refuse messages that are too large together."""
    if sum(len(entry["MessageBody"].encode()) for entry in entries) > LARGEST_MESSAGE:
        raise Refused("BatchRequestTooLong", "Batch requests cannot be longer than 1048576 bytes.")
