"""AWS for handlers: the embedded engine, one for the process, and the connections of the WebSocket API."""

import json
import sqlite3
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jobtrack_local.engine.sqlite.engine import SqliteEngine

_FOLDER = tempfile.TemporaryDirectory(prefix="jobtrack-tests-")
ENGINE = SqliteEngine(Path(_FOLDER.name), durable=False)
DEFINITIONS = {"dynamodb_tables", "queues"}
"""Tables of the engine whose rows stay."""

Params = Mapping[str, Any]


class Connections:
    """Records the calls of API Gateway's management API; every connection is open."""

    def __init__(self) -> None:
        self.messages: list[tuple[str, Any]] = []
        self.closed: list[str] = []

    def post_to_connection(self, params: Params) -> dict[str, Any]:
        self.messages.append((params["ConnectionId"], json.loads(params["Data"])))
        return {}

    def delete_connection(self, params: Params) -> dict[str, Any]:
        self.closed.append(params["ConnectionId"])
        return {}


CONNECTIONS = Connections()
SERVICES = {
    "dynamodb": ENGINE.dynamodb,
    "sqs": ENGINE.sqs,
    "kms": ENGINE.kms,
    "apigatewaymanagementapi": CONNECTIONS,
}


def empty() -> None:
    """Delete all items and messages. Tables, queues and keys stay."""
    ENGINE.database.write(_empty)
    CONNECTIONS.messages.clear()
    CONNECTIONS.closed.clear()


def _empty(connection: sqlite3.Connection) -> None:
    tables = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall()
    for (name,) in tables:
        if name not in DEFINITIONS:
            connection.execute(f"DELETE FROM {name}")  # noqa: S608 - a name from the schema
