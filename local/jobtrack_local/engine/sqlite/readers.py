"""Connections for reads: one for each thread that reads, at most as many as threads ever read at the same time."""

import sqlite3
import threading
from collections import deque
from collections.abc import Callable


class Readers:
    """Lends a connection to each thread; a thread that ends leaves its connection to the next."""

    def __init__(self, connect: Callable[[], sqlite3.Connection]) -> None:
        self._connect = connect
        self._local = threading.local()
        self._free: deque[sqlite3.Connection] = deque()
        self._closed = False

    @property
    def connection(self) -> sqlite3.Connection:
        """The calling thread's connection."""
        loan: _Loan | None = getattr(self._local, "loan", None)
        if loan is None:
            loan = self._local.loan = _Loan(self._take(), self.give_back)
        return loan.connection

    def _take(self) -> sqlite3.Connection:
        if self._closed:
            raise sqlite3.OperationalError("the engine is closed")
        try:
            return self._free.pop()
        except IndexError:
            return self._connect()

    def open_one(self) -> None:
        """Open a connection for the first thread."""
        self._free.append(self._connect())

    def give_back(self, connection: sqlite3.Connection) -> None:
        """Keep a connection for the next thread."""
        if self._closed:
            connection.close()
        else:
            self._free.append(connection)

    def close(self) -> None:
        """Close the connections, except those of other threads that still run: they may be reading."""
        self._closed = True
        self._local.__dict__.clear()
        while self._free:
            self._free.pop().close()


class _Loan:
    """A connection in a thread's local storage, which Python deletes when the thread ends."""

    def __init__(self, connection: sqlite3.Connection, give_back: Callable[[sqlite3.Connection], None]) -> None:
        self.connection = connection
        self._give_back = give_back

    def __del__(self) -> None:
        self._give_back(self.connection)
