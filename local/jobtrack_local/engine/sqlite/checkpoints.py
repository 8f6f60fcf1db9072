"""Checkpoints: they copy the write-ahead log into the file, so that the log can start over and stays bounded.

They run after a commit, not in it: a checkpoint that fails, because the disk is full, must not fail what was committed.
https://www.sqlite.org/wal.html#checkpointing
"""

import logging
import sqlite3
import time
from pathlib import Path

from jobtrack_local.engine.sqlite.database_file import LOG_BYTES
from jobtrack_local.rate_limited_log import RateLimitedLog

log = logging.getLogger(__name__)

DUE_BYTES = LOG_BYTES + LOG_BYTES // 4
"""The size of the log from which a checkpoint is due; SQLite shortens the log to less when it starts over."""
LONG_BYTES = 4 * DUE_BYTES
"""The size from which a checkpoint waits for readers. Where many threads read, there is always one in the way."""


FAILURE_SECONDS = 1.0
"""Interval of checkpoints while writes fail."""


class Checkpoints:
    """Decides when a checkpoint runs. Used by the writer thread only."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._next_bytes = DUE_BYTES
        self._next_time = 0.0
        self._warnings = RateLimitedLog(log)

    def run_if_due(self, connection: sqlite3.Connection) -> None:
        """Run a checkpoint if the log has grown by enough since the last one."""
        size = self._size()
        if size < DUE_BYTES:
            self._next_bytes = DUE_BYTES
        elif size >= self._next_bytes:
            self._next_bytes = size + DUE_BYTES
            self._run(connection, size)

    def run_after_failure(self, connection: sqlite3.Connection | None) -> None:
        """Run a checkpoint after a write that failed: on a full disk, the log starts over in the space that it has."""
        if connection and time.monotonic() >= self._next_time:
            self._next_time = time.monotonic() + FAILURE_SECONDS
            self._run(connection, self._size())

    def _size(self) -> int:
        try:
            return self._path.stat().st_size
        except OSError:
            return 0

    def _run(self, connection: sqlite3.Connection, size: int) -> None:
        mode = "RESTART" if size >= LONG_BYTES else "PASSIVE"
        try:
            (busy, _, _) = connection.execute(f"PRAGMA wal_checkpoint({mode})").fetchone()
        except sqlite3.Error as error:
            self._warnings.warning("the write-ahead log cannot be copied into the file: %s", error)
            return
        if busy:
            self._warnings.warning("a long read, of this program or another, keeps %s at %d bytes", self._path, size)
