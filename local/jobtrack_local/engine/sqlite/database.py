"""The SQLite file: one thread writes, every thread reads.

Waiting writes are committed together, so one fsync serves many callers. A caller gets its result only after the commit.
WAL readers see the last commit and never wait: https://www.sqlite.org/wal.html
"""

import os
import sqlite3
import threading
from collections import defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path
from queue import SimpleQueue
from typing import Any, TypeVar

from jobtrack_local.engine.sqlite.refusals import Refused
from jobtrack_local.errors import LocalError

APPLICATION = 0x4A4F4254
"""SQLite's application id of our files: `JOBT`. https://www.sqlite.org/pragma.html#pragma_application_id"""
FORMAT = 1
"""The format of the tables; a newer one is refused."""

T = TypeVar("T")
Write = Callable[[sqlite3.Connection], Any]

BUSY_SECONDS = 5.0
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
        self._path = path
        self._durable = durable
        self._local = threading.local()
        self._readers: list[sqlite3.Connection] = []
        self._opening = threading.Lock()
        self._writes: SimpleQueue[tuple[Write, Future[Any]] | None] = SimpleQueue()
        self._subscribers: defaultdict[object, list[Callable[[], None]]] = defaultdict(list)
        self._announced: set[object] = set()
        self._closed = False
        writer = self._open()
        self._thread = threading.Thread(target=self._run, args=(writer,), name="sqlite-writer", daemon=True)
        self._thread.start()

    def _open(self) -> sqlite3.Connection:
        """Return the writer's connection to a file that is whole and of our format."""
        try:
            os.close(os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600))  # SQLite gives its other files the same mode
            connection = self._connect()
            _check(connection, self._path)
        except (OSError, sqlite3.DatabaseError) as error:
            raise LocalError(f"cannot open {self._path}: {error}") from error
        return connection

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self._path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False, cached_statements=512
        )
        for pragma in (
            "journal_mode = WAL",
            f"synchronous = {'FULL' if self._durable else 'OFF'}",
            "mmap_size = 268435456",
            "temp_store = MEMORY",
            "cache_size = -16384",
        ):
            connection.execute(f"PRAGMA {pragma}").close()
        return connection

    @property
    def reader(self) -> sqlite3.Connection:
        """The calling thread's connection for reads."""
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = self._connect()
            with self._opening:
                self._readers.append(connection)
        return connection

    def write(self, change: Callable[[sqlite3.Connection], T]) -> T:
        """Run the change in a transaction and return its result once it is stored.

        Raises:
            Refused: the change raised it, so nothing was stored; or the disk is full or failing.
        """
        if self._closed:
            raise _failed("the engine is closed")
        future: Future[T] = Future()
        self._writes.put((change, future))
        return future.result()

    def announce(self, topic: object) -> None:
        """Within a change: wake the topic's subscribers once the change is committed."""
        self._announced.add(topic)

    def subscribe(self, topic: object, wake: Callable[[], None]) -> None:
        """Call `wake` in the writer's thread after each commit of a change that announced the topic."""
        self._subscribers[topic].append(wake)

    def close(self) -> None:
        """Finish the writes that wait, then close the file."""
        self._closed = True
        self._writes.put(None)
        self._thread.join()
        for connection in self._readers:
            connection.close()

    def _run(self, connection: sqlite3.Connection) -> None:
        waiting = True
        while waiting:
            batch, waiting = self._take()
            if batch:
                _commit(connection, batch)
                self._wake()
        connection.close()

    def _wake(self) -> None:
        """Wake subscribers. One that finds nothing, because its change was rolled back, waits again."""
        topics, self._announced = self._announced, set()
        for wake in {wake for topic in topics for wake in self._subscribers[topic]}:
            wake()

    def _take(self) -> tuple[list[tuple[Write, "Future[Any]"]], bool]:
        """Wait for a write; returns it with those that wait behind it, and whether more may come."""
        batch: list[tuple[Write, Future[Any]]] = []
        entry = self._writes.get()
        while entry is not None:
            batch.append(entry)
            if len(batch) == MOST_AT_ONCE or self._writes.empty():
                return batch, True
            entry = self._writes.get()
        return batch, False


def _check(connection: sqlite3.Connection, path: Path) -> None:
    """Mark a new file as ours; refuse one of another program, of a newer format, or damaged."""
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if not tables and not application:
        connection.execute(f"PRAGMA application_id = {APPLICATION}")
        connection.execute(f"PRAGMA user_version = {FORMAT}")
        return
    if application != APPLICATION:
        raise LocalError(f"{path} is a database of another program")
    if version > FORMAT:
        raise LocalError(
            f"{path} was written by a newer version of jobtrack (format {version}; this one reads {FORMAT})"
        )
    (finding,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if finding != "ok":
        raise LocalError(f"{path} is damaged: {finding.splitlines()[-1]}")


def _commit(connection: sqlite3.Connection, batch: Sequence[tuple[Write, "Future[Any]"]]) -> None:
    """Run every change in a savepoint of its own, commit them together, and then hand out the results."""
    results: list[tuple[Future[Any], Any, BaseException | None]] = []
    try:
        connection.execute("BEGIN IMMEDIATE")
        for change, future in batch:
            results.append((future, *_attempt(connection, change)))
        connection.execute("COMMIT")
    except sqlite3.Error as error:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        for _, future in batch:
            future.set_exception(_failed(str(error)))
        return
    for future, result, refusal in results:
        if refusal is None:
            future.set_result(result)
        else:
            future.set_exception(refusal)


def _attempt(connection: sqlite3.Connection, change: Write) -> tuple[Any, BaseException | None]:
    """Return the change's result, or what it raised; then it has changed nothing."""
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


def _failed(reason: str) -> Refused:
    """Return the error of a store that cannot write now: callers retry it, and clients of the API get a 503."""
    return Refused("InternalServerError", f"The engine cannot write: {reason}", 500)
