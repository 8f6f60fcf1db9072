"""The format of the database file, and the steps that bring an older file to it.

SQLite keeps the number in the file's header (`user_version`), and changes it in the same transaction as the tables:
https://www.sqlite.org/pragma.html#pragma_user_version
"""

import sqlite3
from collections.abc import Callable, Sequence

Migration = Callable[[sqlite3.Connection], None]

MIGRATIONS: Sequence[Migration] = ()
"""The first changes a file of format 1 to format 2, the second one of format 2 to format 3, and so on."""


def newest_format() -> int:
    """Return the format of new files; a file of a newer format cannot be read."""
    return 1 + len(MIGRATIONS)


def read_format(connection: sqlite3.Connection) -> int:
    """Return the format of the file."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    return int(version)


def write_format(connection: sqlite3.Connection) -> None:
    """Mark the file as one of the newest format."""
    connection.execute(f"PRAGMA user_version = {newest_format()}")


def migrate(connection: sqlite3.Connection) -> None:
    """Bring the file to the newest format in one transaction: after a crash, it has the old format or the new one."""
    steps = MIGRATIONS[read_format(connection) - 1 :]
    if not steps:
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        for step in steps:
            step(connection)
        write_format(connection)
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")
