"""The format of the database file and of the key file: an older one is migrated, a newer one is refused."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from jobtrack_local.engine.sqlite import migrations
from jobtrack_local.engine.sqlite.engine import DATABASE, KEYS, SqliteEngine
from jobtrack_local.errors import LocalError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder of today's format, with a key."""
    engine = SqliteEngine(tmp_path)
    engine.kms.create_key({})
    engine.close()
    return tmp_path


def stored_format(folder: Path) -> int:
    with closing(sqlite3.connect(folder / DATABASE)) as connection:
        return migrations.read_format(connection)


def add_color(connection: sqlite3.Connection) -> None:
    connection.execute("CREATE TABLE colors (name TEXT)")


def fill_colors(connection: sqlite3.Connection) -> None:
    connection.execute("INSERT INTO colors VALUES ('red')")


def fail(connection: sqlite3.Connection) -> None:
    connection.execute("DROP TABLE colors")
    raise KeyboardInterrupt


def test_a_file_of_an_older_format_is_migrated_step_by_step(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert stored_format(folder) == 1
    monkeypatch.setattr(migrations, "MIGRATIONS", (add_color,))
    SqliteEngine(folder).close()
    assert stored_format(folder) == 2
    monkeypatch.setattr(migrations, "MIGRATIONS", (add_color, fill_colors))
    for _ in range(2):
        engine = SqliteEngine(folder)
        assert engine.database.reader.execute("SELECT name FROM colors").fetchall() == [("red",)]
        engine.close()
    assert stored_format(folder) == 3


def test_a_new_file_needs_no_migration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migrations, "MIGRATIONS", (fail,))
    SqliteEngine(tmp_path).close()
    assert stored_format(tmp_path) == 2


def test_a_migration_that_is_interrupted_changes_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migrations, "MIGRATIONS", (add_color, fail))
    with pytest.raises(KeyboardInterrupt):
        SqliteEngine(folder)
    assert stored_format(folder) == 1
    monkeypatch.setattr(migrations, "MIGRATIONS", (add_color, fill_colors))
    SqliteEngine(folder).close()
    assert stored_format(folder) == 3


def test_a_newer_file_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(migrations, "MIGRATIONS", (add_color,))
        SqliteEngine(folder).close()
    with pytest.raises(LocalError, match=r"written by a newer version of jobtrack \(format 2; this one reads 1\)"):
        SqliteEngine(folder)
    assert stored_format(folder) == 2


def test_newer_keys_are_refused(folder: Path) -> None:
    keys = folder / KEYS
    stored = json.loads(keys.read_text())
    assert stored["format"] == 1
    keys.write_text(json.dumps({"format": 2, "keys": "of another form"}))
    with pytest.raises(LocalError, match=r"keys.json was written by a newer version of jobtrack \(format 2\)"):
        SqliteEngine(folder)
