"""Backups: one consistent file with database and keys, written whole or not at all, and restored in the same way."""

import os
import shutil
import sqlite3
import threading
from base64 import b64encode
from collections.abc import Callable
from contextlib import closing
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from jobtrack_local.engine.sqlite import backups, kms
from jobtrack_local.engine.sqlite.engine import DATABASE, KEYS, SqliteEngine
from jobtrack_local.errors import LocalError
from tests.engine.conftest import session
from tests.engine.faults import files_limited_to
from tests.engine.operations import DEFINITION, TABLE
from tests.engine.test_durability import damage, of_a_newer_version, of_another_program, truncate

CONTEXT = {"job": "1"}
UNUSABLE = [damage, truncate, of_another_program, of_a_newer_version]


class Opened:
    """An engine with its clients."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        self.engine, attached = SqliteEngine(folder), session()
        self.engine.attach(attached)
        self.dynamodb: Any = attached.create_client("dynamodb")
        self.kms: Any = attached.create_client("kms")

    def create(self) -> bytes:
        """Create a table and a key, and return a ciphertext."""
        self.dynamodb.create_table(**DEFINITION)
        self.kms.create_alias(AliasName="alias/a", TargetKeyId=self.kms.create_key()["KeyMetadata"]["KeyId"])
        sealed = self.kms.encrypt(KeyId="alias/a", Plaintext=b"secret", EncryptionContext=CONTEXT)["CiphertextBlob"]
        return bytes(sealed)

    def put(self, name: object) -> None:
        self.dynamodb.put_item(TableName=TABLE, Item={"pk": {"S": "p"}, "sk": {"S": str(name)}})

    def names(self) -> set[str]:
        pages = self.dynamodb.get_paginator("scan").paginate(TableName=TABLE)
        return {item["sk"]["S"] for page in pages for item in page["Items"]}

    def plain(self, sealed: bytes) -> bytes:
        return bytes(self.kms.decrypt(CiphertextBlob=sealed, EncryptionContext=CONTEXT)["Plaintext"])

    def __enter__(self) -> "Opened":
        return self

    def __exit__(self, *_: object) -> None:
        self.engine.close()


@pytest.fixture
def source(tmp_path: Path) -> tuple[Path, bytes]:
    """A folder with an item, and a ciphertext of its key."""
    folder = tmp_path / "source"
    with Opened(folder) as opened:
        sealed = opened.create()
        opened.put("one")
    return folder, sealed


@pytest.fixture
def backup(tmp_path: Path, source: tuple[Path, bytes]) -> Path:
    file = tmp_path / "backup"
    backups.write(source[0], file)
    return file


def test_a_backup_while_threads_write_holds_what_was_acknowledged_before_and_no_gaps(tmp_path: Path) -> None:
    stopped = threading.Event()
    with Opened(tmp_path / "source") as opened:
        sealed = opened.create()
        acknowledged: list[int] = []

        def write() -> None:
            for number in count():
                opened.put(number)
                acknowledged.append(number)
                if stopped.is_set():
                    return

        thread = threading.Thread(target=write)
        thread.start()
        while len(acknowledged) < 50:
            continue
        before = len(acknowledged)
        backups.write(tmp_path / "source", tmp_path / "backup")
        stopped.set()
        thread.join()
    (tmp_path / "target").mkdir()
    backups.restore(tmp_path / "backup", tmp_path / "target")
    with Opened(tmp_path / "target") as restored:
        numbers = sorted(map(int, restored.names()))
        assert numbers == list(range(len(numbers)))
        assert len(numbers) >= before
        assert restored.plain(sealed) == b"secret"


def test_a_backup_is_one_file_for_this_user_only(tmp_path: Path, backup: Path) -> None:
    assert backup.stat().st_mode & 0o777 == 0o600
    names = ["backup", "source", f"source/{DATABASE}", f"source/{KEYS}"]
    assert sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*")) == names


def test_restored_folders_have_no_trace_of_the_keys_in_the_database(tmp_path: Path, backup: Path) -> None:
    (tmp_path / "target").mkdir()
    backups.restore(backup, tmp_path / "target")
    names = sorted(path.name for path in (tmp_path / "target").iterdir())
    assert names == [DATABASE, KEYS]
    for name in names:
        assert (tmp_path / "target" / name).stat().st_mode & 0o777 == 0o600
    with closing(sqlite3.connect(tmp_path / "target" / DATABASE)) as database:
        assert not has_keys(database)
        for key in kms.read_file(tmp_path / "target" / KEYS).keys.values():
            assert b64encode(key) not in (tmp_path / "target" / DATABASE).read_bytes()


def test_a_restore_replaces_everything(tmp_path: Path, source: tuple[Path, bytes], backup: Path) -> None:
    target = tmp_path / "target"
    with Opened(target) as other:
        other.create()
        for number in range(100):
            other.put(number)
    backups.restore(backup, target)
    with Opened(target) as restored:
        assert restored.names() == {"one"}
        assert restored.plain(source[1]) == b"secret"
    assert (target / KEYS).read_bytes() == (source[0] / KEYS).read_bytes()


@pytest.mark.parametrize("change", UNUSABLE)
def test_a_restore_replaces_what_cannot_be_opened(
    tmp_path: Path, source: tuple[Path, bytes], backup: Path, change: Callable[[Path], None]
) -> None:
    target = tmp_path / "target"
    shutil.copytree(source[0], target)
    change(target / DATABASE)
    (target / KEYS).write_text("no keys")
    backups.restore(backup, target)
    with Opened(target) as restored:
        assert restored.names() == {"one"}
        assert restored.plain(source[1]) == b"secret"


def test_a_log_of_the_old_database_does_not_change_the_restored_one(
    tmp_path: Path, source: tuple[Path, bytes], backup: Path
) -> None:
    killed = tmp_path / "killed"
    with Opened(tmp_path / "target") as other:
        other.create()
        for number in range(100):
            other.put(number)
        shutil.copytree(tmp_path / "target", killed)
    assert (killed / f"{DATABASE}-wal").stat().st_size
    damage(killed / DATABASE)
    backups.restore(backup, killed)
    with Opened(killed) as restored:
        assert restored.names() == {"one"}
        assert restored.plain(source[1]) == b"secret"


def test_a_restore_deletes_what_a_killed_restore_left(tmp_path: Path, backup: Path) -> None:
    (tmp_path / "target").mkdir()
    (tmp_path / "target" / f"{DATABASE}.draft-killed").write_text("keys")
    backups.restore(backup, tmp_path / "target")
    assert sorted(os.listdir(tmp_path / "target")) == [DATABASE, KEYS]


def test_a_service_on_a_copy_of_a_backup_deletes_the_keys_in_it(
    tmp_path: Path, source: tuple[Path, bytes], backup: Path
) -> None:
    shutil.copy(backup, source[0] / DATABASE)
    backups.write(source[0], tmp_path / "second")
    backups.check(tmp_path / "second")
    with Opened(source[0]) as opened:
        assert not has_keys(opened.engine.database.reader)


def has_keys(database: sqlite3.Connection) -> bool:
    return database.execute("SELECT 1 FROM sqlite_schema WHERE name = 'backup_keys'").fetchone() is not None


def other_keys(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("""UPDATE backup_keys SET material = '{"keys":{},"aliases":{}}'""")


def no_json(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE backup_keys SET material = 'x'")


def text(path: Path) -> None:
    path.write_text("this is no backup" * 1000)


@pytest.mark.parametrize("change", [*UNUSABLE, other_keys, no_json, text])
def test_a_file_that_cannot_be_restored_is_refused_in_one_line_and_changes_nothing(
    tmp_path: Path, source: tuple[Path, bytes], backup: Path, change: Callable[[Path], None]
) -> None:
    change(backup)
    before = [(path.name, path.read_bytes()) for path in sorted(source[0].iterdir())]
    with pytest.raises(LocalError) as refusal:
        backups.restore(backup, source[0])
    assert str(backup) in str(refusal.value)
    assert "\n" not in str(refusal.value)
    assert [(path.name, path.read_bytes()) for path in sorted(source[0].iterdir())] == before


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("change", UNUSABLE)
def test_a_restore_that_fails_leaves_even_what_cannot_be_opened(
    source: tuple[Path, bytes], backup: Path, change: Callable[[Path], None]
) -> None:
    folder, _ = source
    change(folder / DATABASE)
    (folder / KEYS).write_text('{"format":99}')
    before = files(folder)
    with files_limited_to(20_000), pytest.raises(LocalError, match=r"^cannot restore .*: disk I/O error"):
        backups.restore(backup, folder)
    assert files(folder) == before


@pytest.mark.parametrize("size", [20_000, 40_000])
def test_a_restore_that_fails_leaves_what_was_there(tmp_path: Path, backup: Path, size: int) -> None:
    with Opened(tmp_path / "target") as other:
        sealed = other.create()
        other.put("other")
    with files_limited_to(size), pytest.raises(LocalError, match=r"^cannot .*: disk I/O error"):
        backups.restore(backup, tmp_path / "target")
    with Opened(tmp_path / "target") as other:
        assert other.names() == {"other"}
        assert other.plain(sealed) == b"secret"


def test_a_copy_of_the_database_is_no_backup(source: tuple[Path, bytes], tmp_path: Path) -> None:
    with pytest.raises(LocalError, match="is not a backup of `jobtrack backup`"):
        backups.restore(source[0] / DATABASE, tmp_path / "target")


def test_a_backup_that_fails_leaves_the_file_that_was_there(tmp_path: Path, source: tuple[Path, bytes]) -> None:
    (tmp_path / "backup").write_text("older")
    (source[0] / KEYS).write_text('{"keys":{},"aliases":{}}')
    with pytest.raises(LocalError, match=r"keys\.json does not hold the keys of this database"):
        backups.write(source[0], tmp_path / "backup")
    assert (tmp_path / "backup").read_text() == "older"
    assert sorted(os.listdir(tmp_path)) == ["backup", "source"]


@pytest.mark.parametrize("change", UNUSABLE)
def test_data_that_could_not_be_restored_do_not_replace_a_backup(
    tmp_path: Path, source: tuple[Path, bytes], backup: Path, change: Callable[[Path], None]
) -> None:
    older = backup.read_bytes()
    change(source[0] / DATABASE)
    with pytest.raises(LocalError, match=rf"^{source[0] / DATABASE} (is|was) [^\n]*$"):
        backups.write(source[0], backup)
    assert backup.read_bytes() == older
    assert sorted(os.listdir(tmp_path)) == ["backup", "source"]


def test_errors_blame_the_file_that_causes_them(tmp_path: Path, source: tuple[Path, bytes], backup: Path) -> None:
    missing = tmp_path / "missing" / "backup"
    with pytest.raises(LocalError, match=f"^cannot write {missing}: No such file or directory$"):
        backups.write(source[0], missing)
    truncate(backup)
    with pytest.raises(LocalError, match=f"^{backup} is damaged"):
        backups.check(backup)
    damage(source[0] / DATABASE)
    with pytest.raises(LocalError, match=r"is damaged.*; restore a backup with: jobtrack restore FILE --force$"):
        SqliteEngine(source[0])


def test_an_engine_does_not_open_without_its_database(source: tuple[Path, bytes]) -> None:
    (source[0] / DATABASE).unlink()
    for _ in range(2):
        with pytest.raises(LocalError, match=r"jobtrack\.db is missing; restore a backup"):
            SqliteEngine(source[0])


def test_an_engine_does_not_open_with_other_keys(source: tuple[Path, bytes]) -> None:
    (source[0] / KEYS).unlink()
    with pytest.raises(LocalError, match=r"keys\.json does not hold the keys of this database"):
        SqliteEngine(source[0])
