"""A disk that may lose every write that was not synced, and the part of Python's sqlite3 that the engine uses, over it.

The files are real. A VFS records what SQLite writes and syncs, and a power cut makes of that what a disk may keep: all
that was synced, and of the later writes any sectors (https://www.sqlite.org/atomiccommit.html#_hardware_assumptions).
"""

import random
import threading
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import apsw

SECTOR = 512
_FLAGS = apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_URI
_IN_MEMORY = "-shm"
"""The suffix of the index of the log, which a restart builds again."""

Write = tuple[int, bytes | None]
"""An offset with the data written there; without data, the size to which the file was shortened."""


@dataclass
class _File:
    synced: bytes = b""
    writes: list[Write] = field(default_factory=list)

    def sync(self) -> None:
        self.synced = _written(self.synced, self.writes)
        self.writes = []


class Disk(apsw.VFS):
    """Records the writes and syncs of SQLite's files."""

    def __init__(self) -> None:
        self.name = f"lossy-{id(self)}"
        super().__init__(self.name, "")
        self.syncs = 0
        self._files: defaultdict[str, _File] = defaultdict(_File)
        self._lock = threading.Lock()

    def xOpen(self, name: Any, flags: list[int]) -> "_Recording":
        return _Recording(self, name, flags)

    def xDelete(self, filename: str, syncdir: bool) -> None:
        super().xDelete(filename, syncdir)
        with self._lock:
            self._files.pop(Path(filename).name, None)

    def write(self, name: str, write: Write) -> None:
        """Record a write that is not on the disk yet."""
        with self._lock:
            self._files[name].writes.append(write)

    def sync(self, name: str) -> None:
        """Record that everything written to a file is on the disk."""
        with self._lock:
            self.syncs += 1
            self._files[name].sync()

    def cut_power(self, folder: Path, drawn: random.Random) -> None:
        """Write to a folder what the disk may hold after a power cut now."""
        with self._lock:
            files = {name: (file.synced, list(file.writes)) for name, file in self._files.items()}
        for name, (synced, writes) in files.items():
            (folder / name).write_bytes(_written(synced, _surviving(writes, drawn)))

    def connect(self, location: str, /, **_: Any) -> "Connection":
        """Return a connection to a file of this disk, in place of `sqlite3.connect`."""
        return Connection(apsw.Connection(f"file:{urlsplit(location).path}?mode=rw", flags=_FLAGS, vfs=self.name))


class _Recording(apsw.VFSFile):
    def __init__(self, disk: Disk, name: Any, flags: list[int]) -> None:
        super().__init__("", name, flags)
        self._disk = disk
        self._name = Path(name if isinstance(name, str) else name.filename()).name

    def xWrite(self, data: bytes, offset: int) -> None:
        super().xWrite(data, offset)
        self._disk.write(self._name, (offset, bytes(data)))

    def xTruncate(self, newsize: int) -> None:
        super().xTruncate(newsize)
        self._disk.write(self._name, (newsize, None))

    def xSync(self, flags: int) -> None:
        super().xSync(flags)
        self._disk.sync(self._name)


def _written(content: bytes, writes: Sequence[Write]) -> bytes:
    changed = bytearray(content)
    for offset, data in writes:
        if data is None:
            del changed[offset:]
            continue
        changed.extend(bytes(max(0, offset - len(changed))))
        changed[offset : offset + len(data)] = data
    return bytes(changed)


def _surviving(writes: Sequence[Write], drawn: random.Random) -> list[Write]:
    """Return what a disk keeps of writes that were not synced: nothing, everything, or any sectors."""
    share = drawn.choice([0.0, 1.0, 0.5, 0.9])
    sectors = [part for write in writes for part in _sectors(*write)]
    return [part for part in sectors if drawn.random() < share]


def _sectors(offset: int, data: bytes | None) -> Iterator[Write]:
    """Divide a write at the sectors' bounds."""
    if data is None:
        yield offset, None
        return
    start = 0
    while start < len(data):
        end = start + SECTOR - (offset + start) % SECTOR
        yield offset + start, data[start:end]
        start = end


class Connection:
    """What the engine uses of `sqlite3.Connection`, over apsw."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open."""
        return self._connection.in_transaction

    def execute(self, statement: str, parameters: Sequence[Any] | Mapping[str, Any] = ()) -> "Cursor":
        """Run a statement."""
        return self._run(lambda cursor: cursor.execute(statement, parameters))

    def executemany(self, statement: str, rows: Sequence[Sequence[Any]]) -> "Cursor":
        """Run a statement for each row."""
        return self._run(lambda cursor: cursor.executemany(statement, rows))

    def _run(self, run: Any) -> "Cursor":
        before, cursor = self._connection.total_changes(), self._connection.cursor()
        run(cursor)
        return Cursor(cursor, self._connection.total_changes() - before, self._connection.last_insert_rowid())

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


@dataclass(frozen=True)
class Cursor:
    """What the engine uses of `sqlite3.Cursor`."""

    _cursor: apsw.Cursor
    rowcount: int
    lastrowid: int

    def fetchone(self) -> Any:
        """Return the next row, or None."""
        return self._cursor.fetchone()

    def fetchall(self) -> list[Any]:
        """Return all rows."""
        return list(self._cursor.fetchall())

    def __iter__(self) -> Iterator[Any]:
        return iter(self._cursor)

    def close(self) -> None:
        """Free the statement."""
        self._cursor.close()
