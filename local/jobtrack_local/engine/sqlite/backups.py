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

from jobtrack_local import folders
from jobtrack_local.engine.sqlite import database_file, durable_files, key_material, kms
from jobtrack_local.engine.sqlite.engine import DATABASE, KEYS
from jobtrack_local.engine.sqlite.key_material import KeyMaterial
from jobtrack_local.errors import LocalError

WHOLE = -1
"""Pages copied at once. In parts, each commit of the service would start the copy over."""
_DRAFT = ".draft-"
_LOGS = ("-wal", "-shm", "-journal")
"""What SQLite keeps beside a database, and would apply to a database that replaces it.
https://www.sqlite.org/howtocorrupt.html#_unlinking_or_renaming_a_database_file_while_in_use
"""


def write(folder: Path, target: Path) -> None:
    """Write a backup of an engine's folder to a file, which is replaced only by a backup that can be restored.

    Raises:
        LocalError: the folder holds no database or a damaged one, or the file cannot be written.
    """
    database = folder / DATABASE
    with (
        folders.describe_errors(f"write {target}"),
        _draft(target) as draft,
        _errors(f"back up {folder} to {target}", database),
        closing(_open(database, "rw")) as source,  # SQLite would leave a log behind with "ro"
        closing(sqlite3.connect(draft)) as copy,
    ):
        source.backup(copy, pages=WHOLE)
        copy.execute("PRAGMA journal_mode = DELETE")  # one file, without a log
        material = kms.read_file(folder / KEYS)
        with copy:
            key_material.store_copy(copy, material)
        database_file.check(copy, database)
        key_material.check(copy, material, folder / KEYS)


def restore(source: Path, folder: Path) -> None:
    """Replace the data in an engine's folder by a backup. No service may use the folder.

    The backup is copied to a draft, which is renamed when it is complete. So a failure or a power cut leaves the old
    database or the backup, and in between the keys of both.

    Raises:
        LocalError: the file is no backup or is damaged, or the folder cannot be written.
    """
    database = folder / DATABASE
    with _errors(f"restore {source} to {folder}", source), closing(_open(source)) as backup:
        material = _check(backup, source)
        _delete_drafts(database)
        with _draft(database) as draft:
            _copy_database(backup, draft)
            _add_keys(folder / KEYS, material)
            _retire_logs(database)
        durable_files.replace(folder / KEYS, key_material.dump(material))


def check(source: Path) -> None:
    """Check that a file is a backup that can be restored.

    Raises:
        LocalError: the file is not such a backup.
    """
    with _errors(f"read {source}", source), closing(_open(source)) as backup:
        _check(backup, source)


def _check(backup: sqlite3.Connection, source: Path) -> KeyMaterial:
    if not key_material.has_copy(backup):
        raise LocalError(f"{source} is not a backup of `jobtrack backup`")
    database_file.check(backup, source)
    material = key_material.read_copy(backup, source)
    key_material.check(backup, material, source)
    return material


def _delete_drafts(database: Path) -> None:
    """Delete the drafts of killed restores: they are as large as the database."""
    for draft in database.parent.glob(f"{database.name}{_DRAFT}*"):
        draft.unlink()


def _copy_database(backup: sqlite3.Connection, draft: Path) -> None:
    with closing(sqlite3.connect(draft)) as copy:
        backup.backup(copy, pages=WHOLE)
        copy.execute("PRAGMA secure_delete = ON").close()  # overwrite the keys
        key_material.delete_copy(copy)


def _add_keys(path: Path, material: KeyMaterial) -> None:
    """Store the keys beside those of the old database. A file that cannot be read stays with the old database."""
    with suppress(LocalError):
        durable_files.replace(path, key_material.dump(kms.read_file(path).merge(material)))


def _retire_logs(path: Path) -> None:
    """Bring the old database's logs into it, if it can be read, and delete them before another file has its name."""
    with suppress(LocalError, sqlite3.Error), closing(_open(path, "rw")) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    for log in _LOGS:
        path.with_name(path.name + log).unlink(missing_ok=True)
    durable_files.sync_folder(path.parent)


def _open(path: Path, mode: str = "ro") -> sqlite3.Connection:
    if not path.is_file():
        raise LocalError(f"there is no file {path}")
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode={mode}", uri=True)


@contextmanager
def _draft(target: Path) -> Iterator[Path]:
    """Provide a file of mode 0600 that becomes the target when the block ends without an error."""
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f"{target.name}{_DRAFT}")
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
def _errors(action: str, read: Path) -> Iterator[None]:
    """Turn errors into a LocalError: `cannot <action>`, or that the file that is read is damaged."""
    with folders.describe_errors(action), database_file.describe_damage(read):
        try:
            yield
        except sqlite3.OperationalError as error:
            raise LocalError(f"cannot {action}: {error}") from error
