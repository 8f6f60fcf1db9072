"""The engine as a whole: a database file, a key file, and the services over them."""

import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

from botocore.session import Session

from jobtrack_local.engine.sqlite import seam
from jobtrack_local.engine.sqlite.database import Database
from jobtrack_local.engine.sqlite.dynamodb import DynamoDb
from jobtrack_local.engine.sqlite.kms import Kms
from jobtrack_local.engine.sqlite.refusals import Refused
from jobtrack_local.engine.sqlite.sqs import Sqs
from jobtrack_local.engine.sqlite.stream_records import StreamWriter
from jobtrack_local.engine.sqlite.streams import Streams
from jobtrack_local.errors import LocalError

DATABASE, KEYS = "jobtrack.db", "keys.json"
"""Files in the folder of an engine."""
PURGED_AT_ONCE = 20
"""Rows in one write of a purge. Other writes wait for no more than that."""


class SqliteEngine:
    """DynamoDB, its streams, SQS and KMS in a folder.

    Args:
        folder: Holds `jobtrack.db` and `keys.json`.
        durable: Whether acknowledged writes survive a power cut.

    Raises:
        LocalError: the folder holds other or damaged data, or cannot be written.
    """

    def __init__(
        self,
        folder: Path,
        *,
        durable: bool = True,
        clock: Callable[[], float] = time.time,
    ) -> None:
        _require_database(folder)
        self.database = Database(folder / DATABASE, durable=durable)
        try:
            self._build(folder, clock)
        except LocalError:
            self.database.close()
            raise
        except (Refused, sqlite3.Error) as error:
            self.database.close()
            raise LocalError(f"cannot write to {folder}: {error}") from error

    def _build(self, folder: Path, clock: Callable[[], float]) -> None:
        records = StreamWriter(self.database, clock)
        self.dynamodb = DynamoDb(self.database, records.write, records.write_expiry, clock)
        self.streams = Streams(self.database, self.dynamodb, records)
        self.sqs = Sqs(self.database, clock)
        self.kms = Kms(folder / KEYS, self.database)

    def attach(self, session: Session, *, tables: bool = True) -> None:
        """Make the session's future clients call this engine: all clients, or only those of SQS and KMS."""
        services: dict[str, object] = {"sqs": self.sqs, "kms": self.kms}
        if tables:
            services |= {"dynamodb": self.dynamodb, "dynamodb-streams": self.streams}
        seam.attach(session, services)

    def purge(self) -> None:
        """Delete expired items, messages and tokens, so that the file stays bounded. Consumers trim stream records."""
        for purge in (self.dynamodb.purge_items, self.dynamodb.purge_tokens, self.sqs.purge):
            _purge_all(purge)

    def close(self) -> None:
        """Finish the pending writes, and close the file."""
        self.database.close()


def _purge_all(purge: Callable[[int], int]) -> None:
    """Purge in steps, and pause after each step for as long as it took, so half of the time is left to other writes."""
    start = time.monotonic()
    while purge(PURGED_AT_ONCE) >= PURGED_AT_ONCE:
        time.sleep(time.monotonic() - start)
        start = time.monotonic()


def _require_database(folder: Path) -> None:
    """Refuse a folder that has keys but no database: keys are stored after the database, so it was deleted."""
    database = folder / DATABASE
    if (folder / KEYS).exists() and not (database.exists() and database.lstat().st_size):
        raise LocalError(f"{folder / DATABASE} is missing; restore a backup, or delete {folder} to start without data")
