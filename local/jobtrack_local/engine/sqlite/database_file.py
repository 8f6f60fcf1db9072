"""The SQLite file: how its connections are set up, whether it is ours, and whether it is still at its path.

Pages are read with `pread`, not through a memory map: with a map, a failing disk or a truncated file ends the process
with SIGBUS instead of one request with an error (https://www.sqlite.org/mmap.html).

Pages that a deletion frees are reused, and the file keeps its largest size. `auto_vacuum` could return them, but each
transaction would write 9 % more, because it keeps a map of pages.
"""

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from jobtrack_local.engine.sqlite import durable_files, migrations
from jobtrack_local.errors import LocalError

APPLICATION = 0x4A4F4254
"""SQLite's application id of our files: `JOBT`. https://www.sqlite.org/pragma.html#pragma_application_id"""

BUSY_SECONDS = 1.0
"""How long a connection waits for a lock. The writer has no rival in this process, only in another program."""
LOG_BYTES = 4 * 1024 * 1024
"""The size to which SQLite shortens the write-ahead log when it starts it over."""
_WRITER_CACHE, _READER_CACHE = 16_384, 2_048
"""KiB of pages. A reader's cache is small: every commit of the writer empties it."""

_Identity = tuple[int, int] | None


class Replaced(sqlite3.OperationalError):
    """The open file is no longer the file at the path, so writes to the open file would be lost."""


class Damaged(LocalError):
    """The file does not hold what was written to it."""


class DatabaseFile:
    """A file of the engine, with its write-ahead log and the index of that log.

    Args:
        path: The file; it is created if it does not exist.
        durable: Whether a commit is on the disk when it returns.
    """

    def __init__(self, path: Path, *, durable: bool) -> None:
        self.path = path
        self.log = path.with_name(path.name + "-wal")
        self.paths = (path, self.log, path.with_name(path.name + "-shm"))
        self._durable = durable
        self._identities: Sequence[_Identity] = ()

    def create(self) -> sqlite3.Connection:
        """Create the file if it does not exist, check it, and return a connection that writes.

        Raises:
            LocalError: the file is damaged, of another program, of a newer version, or cannot be opened or written.
        """
        try:
            with describe_damage(self.path):
                connection = self._create()
        except Damaged as error:
            raise Damaged(f"{error}; restore a backup with: jobtrack restore FILE --force") from error
        self._identities = self._identify()  # reading has created the log and its index
        return connection

    def _create(self) -> sqlite3.Connection:
        try:
            self._create_empty()
            connection = self._connect(_WRITER_CACHE)
            check(connection, self.path)
            self._prepare_writer(connection)  # after the check: WAL mode would change the file of another program
            migrations.migrate(connection)
            connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        except (OSError, sqlite3.OperationalError) as error:
            raise LocalError(f"cannot open {self.path}: {error}") from error
        return connection

    def _create_empty(self) -> None:
        """Create the file for this user only; SQLite gives the log the same mode.

        An existing file is not opened here: closing it would drop the locks of this process's other connections.
        https://www.sqlite.org/howtocorrupt.html#_posix_advisory_locks_canceled_by_a_separate_thread_doing_close_
        """
        with suppress(FileExistsError):
            os.close(os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
            durable_files.sync_folders(self.path.parent)

    def open_writer(self) -> sqlite3.Connection:
        """Return a connection that writes. Commits run no checkpoints, so a failed checkpoint fails no commit."""
        connection = self._connect(_WRITER_CACHE)
        self._prepare_writer(connection)
        return connection

    def _prepare_writer(self, connection: sqlite3.Connection) -> None:
        for pragma in (
            "journal_mode = WAL",
            f"synchronous = {'FULL' if self._durable else 'OFF'}",
            f"journal_size_limit = {LOG_BYTES}",
            "wal_autocheckpoint = 0",
            "secure_delete = FAST",
        ):
            connection.execute(f"PRAGMA {pragma}").close()

    def open_reader(self) -> sqlite3.Connection:
        """Return a connection that reads."""
        self.check_place()
        connection = self._connect(_READER_CACHE)
        connection.execute("PRAGMA query_only = ON").close()
        return connection

    def _connect(self, cache: int) -> sqlite3.Connection:
        connection = sqlite3.connect(
            f"{self.path.absolute().as_uri()}?mode=rw",
            uri=True,
            timeout=BUSY_SECONDS,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=512,
        )
        for pragma in ("temp_store = MEMORY", f"cache_size = -{cache}"):
            connection.execute(f"PRAGMA {pragma}").close()
        return connection

    def check_place(self) -> None:
        """Check that the open file and its log are still those at the path.

        Raises:
            Replaced: they were deleted, moved or replaced.
        """
        if self._identify() != self._identities:
            raise Replaced(f"{self.path} was deleted or replaced; restart the service")

    def _identify(self) -> Sequence[_Identity]:
        return [_identify(path) for path in self.paths]


def _identify(path: Path) -> _Identity:
    try:
        found = os.stat(path)
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


@contextmanager
def describe_damage(path: Path) -> Iterator[None]:
    """Turn SQLite's error about the content of a file into `Damaged`."""
    try:
        yield
    except sqlite3.OperationalError:
        raise
    except sqlite3.DatabaseError as error:
        raise Damaged(f"{path} is damaged: {error}") from error


def check(connection: sqlite3.Connection, path: Path) -> None:
    """Mark a new file as ours; refuse a file that is damaged, of another program, or of a newer format."""
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    version, newest = migrations.read_format(connection), migrations.newest_format()
    if not tables and not application:
        connection.execute(f"PRAGMA application_id = {APPLICATION}")
        migrations.write_format(connection)
        return
    if application != APPLICATION:
        raise LocalError(f"{path} is a database of another program")
    if version > newest:
        raise LocalError(
            f"{path} was written by a newer version of jobtrack (format {version}; this one reads {newest})"
        )
    (finding,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if finding != "ok":
        raise Damaged(f"{path} is damaged: {finding.splitlines()[-1]}")
