"""The ClientRequestTokens of transactions: within ten minutes, a repetition of a request changes nothing.

https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html
"""

import hashlib
import sqlite3
from collections.abc import Mapping
from typing import Any

from jobtrack_local.engine.sqlite.refusals import Refused

SECONDS = 600

_TABLE = """
CREATE TABLE IF NOT EXISTS request_tokens (
  id INTEGER PRIMARY KEY, token TEXT NOT NULL UNIQUE, at REAL NOT NULL, request BLOB NOT NULL
)
"""


def prepare(connection: sqlite3.Connection) -> None:
    """Create the table of tokens."""
    connection.execute(_TABLE)


def add(connection: sqlite3.Connection, token: str, params: Mapping[str, Any], now: float) -> bool:
    """Store the token of a request in the request's own transaction; returns False for a repetition.

    Raises:
        Refused: another request had the token.
    """
    request = hashlib.sha256(repr(params["TransactItems"]).encode()).digest()
    row = connection.execute(
        "SELECT request FROM request_tokens WHERE token = ? AND at >= ?", (token, now - SECONDS)
    ).fetchone()
    if row is None:
        connection.execute(
            "INSERT OR REPLACE INTO request_tokens (token, at, request) VALUES (?, ?, ?)", (token, now, request)
        )
        return True
    if row[0] != request:
        raise Refused(
            "IdempotentParameterMismatchException",
            "The request uses the same client token as a previous, but non-identical request.",
        )
    return False


def purge(connection: sqlite3.Connection, now: float, most: int) -> int:
    """Forget up to `most` of the oldest tokens, if they have expired; returns how many."""
    return connection.execute(
        "DELETE FROM request_tokens WHERE id IN (SELECT id FROM request_tokens ORDER BY id LIMIT ?) AND at < ?",
        (most, now - SECONDS),
    ).rowcount
