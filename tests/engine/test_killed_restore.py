"""A restore that is killed leaves the old data or the restored ones, and can be run again."""

import shutil
import subprocess
import sys
from contextlib import suppress
from itertools import groupby
from pathlib import Path

import pytest

from jobtrack_local.engine.sqlite import backups
from jobtrack_local.engine.sqlite.engine import DATABASE
from jobtrack_local.errors import LocalError
from tests.engine.test_backups import Opened
from tests.engine.test_durability import ROOT, of_a_newer_version


def data(folder: Path, *names: str) -> tuple[Path, bytes]:
    """Create a folder with items and a log, as a killed service leaves it. Return it and a ciphertext."""
    folder.mkdir()
    with Opened(folder / "served") as opened:
        sealed = opened.create()
        for name in names:
            opened.put(name)
        shutil.copytree(folder / "served", folder / "killed")
    return folder / "killed", sealed


@pytest.fixture
def new(tmp_path: Path) -> tuple[Path, bytes]:
    """A backup, and a ciphertext of its key."""
    folder, sealed = data(tmp_path / "new", "new")
    backups.write(folder, tmp_path / "backup")
    return tmp_path / "backup", sealed


def killed_restores(backup: Path, old: Path, results: Path) -> list[Path]:
    """Return a copy of the old folder for each step before which a restore can be killed, and one restored fully."""
    command = [sys.executable, "-m", "tests.engine.killed_restore", str(backup), str(old), str(results)]
    subprocess.run(command, cwd=ROOT, check=True)
    return sorted(results.iterdir())


def content(folder: Path, **sealed: bytes) -> frozenset[str]:
    """Return the names of the items, and check that the service decrypts the ciphertext of each name."""
    with Opened(folder) as opened:
        names = opened.names()
        for name in names & sealed.keys():
            assert opened.plain(sealed[name]) == b"secret"
        return frozenset(names)


def test_a_killed_restore_leaves_the_old_data_or_the_new_ones(tmp_path: Path, new: tuple[Path, bytes]) -> None:
    backup, sealed = new
    old, old_sealed = data(tmp_path / "old", "old", "older")
    folders = killed_restores(backup, old, tmp_path / "results")
    found = [content(folder, old=old_sealed, new=sealed) for folder in folders]
    assert [names for names, _ in groupby(found)] == [{"old", "older"}, {"new"}]
    backups.restore(backup, folders[0])
    assert content(folders[0], new=sealed) == {"new"}


def test_a_killed_restore_leaves_data_that_cannot_be_read(tmp_path: Path, new: tuple[Path, bytes]) -> None:
    backup, sealed = new
    old, _ = data(tmp_path / "old", "old")
    of_a_newer_version(old / DATABASE)
    before = (old / DATABASE).read_bytes()
    found = []
    for folder in killed_restores(backup, old, tmp_path / "results"):
        now = (folder / DATABASE).read_bytes()
        with suppress(LocalError):
            now = b"".join(name.encode() for name in content(folder, new=sealed))
        found.append(now)
    assert [each for each, _ in groupby(found)] == [before, b"new"]
