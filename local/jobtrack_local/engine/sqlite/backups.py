"""Backups of the engine's folder, while a service uses it or not.

A backup is one SQLite file of mode 0600: a consistent copy of the database, with the key material in a table of its
own. The database is copied first, then the keys. A key is stored before it is used and is never removed, so the backup
has the key of every ciphertext. https://www.sqlite.org/backup.html
"""

import os
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from jobtrack_local.engine.sqlite import database_file, durable_files, key_material, kms
from jobtrack_local.engine.sqlite.database_file import DatabaseFile, Unusable
from jobtrack_local.engine.sqlite.engine import DATABASE, KEYS
from jobtrack_local.engine.sqlite.key_material import KeyMaterial
from jobtrack_local.errors import LocalError

WHOLE = -1
"""Pages copied at once. In parts, each commit of the service would start the copy over."""
_TABLE = "CREATE TABLE backup_keys (material BLOB NOT NULL)"


def write(folder: Path, target: Path) -> None:
    """Write a backup of an engine's folder to a file, which is replaced only by a complete backup.

    Raises:
        LocalError: the folder holds no database, or the file cannot be written.
    """
    with (
        _errors(f"back up {folder}"),
        _draft(target) as draft,
        closing(_open(folder / DATABASE, "rw")) as source,  # SQLite would leave a log behind with "ro"
        closing(sqlite3.connect(draft)) as copy,
    ):
        source.backup(copy, pages=WHOLE)
        copy.execute("PRAGMA journal_mode = DELETE")  # one file, without a log
        material = kms.read_file(folder / KEYS)
        key_material.check(copy, material, folder / KEYS)
        with copy:
            copy.execute(_TABLE)
            copy.execute("INSERT INTO backup_keys VALUES (?)", (key_material.dump(material),))


def restore(source: Path, folder: Path) -> None:
    """Replace the data in an engine's folder by a backup. No service may use the folder.

    SQLite replaces the database in one transaction: after a power cut, it is either the old database or the backup.

    Raises:
        LocalError: the file is no backup or is damaged, or the folder cannot be written.
    """
    with _errors(f"restore {source}"), closing(_open(source)) as backup:
        material = _check(backup, source)
        with closing(_replaceable(folder / DATABASE)) as database:
            durable_files.replace(folder / KEYS, key_material.dump(_known_keys(folder).merge(material)))
            backup.backup(database, pages=WHOLE)
            database.execute("DROP TABLE backup_keys")
        durable_files.replace(folder / KEYS, key_material.dump(material))


def check(source: Path) -> None:
    """Check that a file is a backup that can be restored.

    Raises:
        LocalError: the file is not such a backup.
    """
    with _errors(f"restore {source}"), closing(_open(source)) as backup:
        _check(backup, source)


def _check(backup: sqlite3.Connection, source: Path) -> KeyMaterial:
    if not backup.execute("SELECT 1 FROM sqlite_schema WHERE name = 'backup_keys'").fetchone():
        raise LocalError(f"{source} is not a backup of `jobtrack backup`")
    database_file.check(backup, source)
    ((text,),) = backup.execute("SELECT material FROM backup_keys").fetchall()
    material = key_material.parse(text, source)
    key_material.check(backup, material, source)
    return material


def _replaceable(path: Path) -> sqlite3.Connection:
    """Open the database to replace. If it is unusable, delete it first."""
    file = DatabaseFile(path, durable=True)
    try:
        return file.create()
    except Unusable:
        for each in file.paths:
            each.unlink(missing_ok=True)
        return file.create()


def _known_keys(folder: Path) -> KeyMaterial:
    with suppress(LocalError):
        return kms.read_file(folder / KEYS)
    return KeyMaterial()


def _open(path: Path, mode: str = "ro") -> sqlite3.Connection:
    if not path.is_file():
        raise LocalError(f"there is no file {path}")
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode={mode}", uri=True)


@contextmanager
def _draft(target: Path) -> Iterator[Path]:
    """Provide a file of mode 0600 that becomes the target when the block ends without an error."""
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f"{target.name}.draft-")
    os.close(handle)
    draft = Path(name)
    try:
        yield draft
        durable_files.sync_file(draft)
        os.replace(draft, target)
        durable_files.sync_folder(target.parent)
    finally:
        draft.unlink(missing_ok=True)


@contextmanager
def _errors(action: str) -> Iterator[None]:
    try:
        yield
    except (OSError, sqlite3.Error) as error:
        raise LocalError(f"cannot {action}: {error}") from error
