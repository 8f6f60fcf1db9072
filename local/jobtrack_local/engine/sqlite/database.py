"""The database: one thread writes, every thread reads.

Waiting writes are committed together, so one fsync serves many callers. A caller gets its result only after the commit.
WAL readers see the last commit and never wait: https://www.sqlite.org/wal.html
"""

import logging
import sqlite3
import threading
from collections import defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from queue import SimpleQueue
from typing import Any, TypeVar

from jobtrack_local.engine.sqlite.checkpoints import Checkpoints
from jobtrack_local.engine.sqlite.database_file import DatabaseFile
from jobtrack_local.engine.sqlite.readers import Readers
from jobtrack_local.engine.sqlite.refusals import failed
from jobtrack_local.rate_limited_log import RateLimitedLog

log = logging.getLogger(__name__)

T = TypeVar("T")
Write = Callable[[sqlite3.Connection], Any]
Batch = Sequence[tuple[Write, "Future[Any]"]]
Results = Sequence[tuple["Future[Any]", Any, BaseException | None]]

MOST_AT_ONCE = 256
"""Writes in one commit."""


class Database:
    """A database file with one writer thread.

    Args:
        path: The file; it is created if it does not exist.
        durable: Whether a write that was acknowledged survives a power cut. Without it, it survives the end of the
            process only.
    """

    def __init__(self, path: Path, *, durable: bool = True) -> None:
        self._file = DatabaseFile(path, durable=durable)
        self._connection: sqlite3.Connection | None = self._file.create()
        self._readers = Readers(self._file.open_reader)
        self._readers.open_one()  # otherwise SQLite deletes the log when the writer's connection is replaced
        self._checkpoints = Checkpoints(self._file.log)
        self._failures = RateLimitedLog(log)
        self._writes: SimpleQueue[tuple[Write, Future[Any]] | None] = SimpleQueue()
        self._subscribers: defaultdict[object, list[Callable[[], None]]] = defaultdict(list)
        self._announced: set[object] = set()
        self._closing = threading.Lock()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="sqlite-writer", daemon=True)
        self._thread.start()

    @property
    def reader(self) -> sqlite3.Connection:
        """The calling thread's connection for reads."""
        return self._readers.connection

    def write(self, change: Callable[[sqlite3.Connection], T]) -> T:
        """Run the change in a transaction and return its result once it is stored.

        Raises:
            Refused: the change raised it, so nothing was stored; or the disk is full or failing.
        """
        future: Future[T] = Future()
        with self._closing:
            if self._closed:
                raise failed("the engine is closed")
            self._writes.put((change, future))
        return future.result()

    def announce(self, topic: object) -> None:
        """Wake the topic's subscribers once the current change is committed. Call this within a change."""
        self._announced.add(topic)

    def subscribe(self, topic: object, wake: Callable[[], None]) -> None:
        """Call `wake` in the writer's thread after each commit of a change that announced the topic."""
        self._subscribers[topic].append(wake)

    def close(self) -> None:
        """Finish the pending writes, move them from the log to the file, and close it."""
        with self._closing:
            self._closed = True
            self._writes.put(None)
        self._thread.join()
        self._readers.close()
        if self._connection:
            with suppress(sqlite3.Error):  # then the log keeps what the file does not have yet
                self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").close()
            self._connection.close()

    def _run(self) -> None:
        waiting = True
        while waiting:
            batch, waiting = self._take()
            if batch:
                self._store(batch)
                self._wake()

    def _wake(self) -> None:
        """Wake subscribers. A subscriber that finds nothing, because the change was rolled back, waits again."""
        topics, self._announced = self._announced, set()
        for wake in {wake for topic in topics for wake in self._subscribers[topic]}:
            wake()

    def _take(self) -> tuple[Batch, bool]:
        """Wait for a write; return it with the writes that are queued behind it, and whether more may come."""
        batch: list[tuple[Write, Future[Any]]] = []
        entry = self._writes.get()
        while entry is not None:
            batch.append(entry)
            if len(batch) == MOST_AT_ONCE or self._writes.empty():
                return batch, True
            entry = self._writes.get()
        return batch, False

    def _store(self, batch: Batch) -> None:
        """Commit the changes, and hand out their results. Any failure concerns this batch only."""
        try:
            connection = self._connection = self._connection or self._file.open_writer()
            results = self._commit(connection, batch)
        except Exception as error:
            self._failures.warning("cannot write: %s", error)
            self._roll_back()
            for _, future in batch:
                future.set_exception(failed(str(error)))
            self._checkpoints.run_after_failure(self._connection)
            return
        for future, result, refusal in results:
            if refusal is None:
                future.set_result(result)
            else:
                future.set_exception(refusal)
        self._checkpoints.run_if_due(connection)

    def _commit(self, connection: sqlite3.Connection, batch: Batch) -> Results:
        """Run every change in a savepoint of its own, and commit them together.

        The file is checked before the commit. After the commit, a caller that checks its change would find it, although
        the file is lost.
        """
        connection.execute("BEGIN IMMEDIATE")
        results = [(future, *_attempt(connection, change)) for change, future in batch]
        self._file.check_place()
        connection.execute("COMMIT")
        return results

    def _roll_back(self) -> None:
        """Roll back an open transaction. If that fails, the connection is replaced before the next write."""
        if self._connection is None:
            return
        try:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
        except sqlite3.Error:
            self._connection.close()
            self._connection = None


def _attempt(connection: sqlite3.Connection, change: Write) -> tuple[Any, BaseException | None]:
    """Return the change's result, or the exception that it raised; then the change is rolled back."""
    connection.execute("SAVEPOINT change")
    try:
        result = change(connection)
    except sqlite3.Error:
        raise  # the whole commit fails, for example because the disk is full
    except BaseException as error:  # handed to the caller, whose thread it concerns
        connection.execute("ROLLBACK TO change")
        connection.execute("RELEASE change")
        return None, error
    connection.execute("RELEASE change")
    return result, None
