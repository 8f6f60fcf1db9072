"""Data that `jobtrack serve` cannot use: one clear line and exit 1, and the data stay as they are."""

import json
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from jobtrack_local.engine.engines import DYNAMODB_LOCAL, SQLITE
from tests.e2e.receiving import subscribed
from tests.e2e.reporting import started
from tests.e2e.running import DATABASE, START_SECONDS, command, environment, running

pytestmark = [
    pytest.mark.not_deployed("is about jobtrack serve itself"),
    pytest.mark.one_engine("sqlite", "the other engine opens its data in the same way"),
]
KEYS = "keys.json"
PAGE = 4096


def refused(home: Path, *arguments: str, program: Sequence[str] = ()) -> str:
    """Return the one line of a `jobtrack serve` that does not start."""
    result = subprocess.run(
        [*program, *command("serve", "--port", "0", *arguments)],
        env=environment(home),
        capture_output=True,
        text=True,
        timeout=START_SECONDS,
        check=False,
    )
    assert (result.returncode, result.stdout) == (1, ""), result.stderr
    assert result.stderr.count("\n") == 1, result.stderr
    assert result.stderr.startswith("jobtrack: ")
    return result.stderr.rstrip()


@pytest.fixture(scope="module")
def used(home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a data folder that a service has used: it has a job, and a key that encrypted a secret."""
    folder = tmp_path_factory.mktemp("used")
    with running(home, SQLITE, "--data", str(folder)) as service, service.client() as client:
        subscribed(client, started(client), "http://127.0.0.1:9/", "milestone")
        service.stop()
    return folder


@pytest.fixture
def data(used: Path, tmp_path: Path) -> Path:
    """Return a copy of the used folder."""
    return Path(shutil.copytree(used, tmp_path / "data"))


def cut_off(folder: Path) -> None:
    path = folder / DATABASE
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // PAGE // 2 * PAGE)


def empty(folder: Path) -> None:
    (folder / DATABASE).write_bytes(b"")


def overwrite_pages(folder: Path) -> None:
    pages = (folder / DATABASE).stat().st_size // PAGE
    with (folder / DATABASE).open("r+b") as file:
        file.seek(PAGE)
        file.write(b"\xa5" * PAGE * (pages - 1))


def overwrite_header(folder: Path) -> None:
    with (folder / DATABASE).open("r+b") as file:
        file.write(b"\xa5" * 100)


def replace_by_text(folder: Path) -> None:
    (folder / DATABASE).write_text("This is no database.\n" * 1000)


def replace_by_another_programs(folder: Path) -> None:
    (folder / DATABASE).unlink()
    with closing(sqlite3.connect(folder / DATABASE)) as database:
        database.execute("CREATE TABLE places (url TEXT)")


def mark_as_newer(folder: Path) -> None:
    with closing(sqlite3.connect(folder / DATABASE)) as database:
        database.execute("PRAGMA user_version = 99")


def rename_an_index(folder: Path) -> None:
    with closing(sqlite3.connect(folder / DATABASE)) as database, database:
        database.execute("UPDATE dynamodb_tables SET definition = replace(definition, 'by_status', 'by_state')")


def replace_by_a_folder(folder: Path) -> None:
    (folder / DATABASE).unlink()
    (folder / DATABASE).mkdir()


def cut_off_keys(folder: Path) -> None:
    (folder / KEYS).write_text((folder / KEYS).read_text()[:-20])


def remove_members_of_keys(folder: Path) -> None:
    (folder / KEYS).write_text(json.dumps({}))


def delete_keys(folder: Path) -> None:
    (folder / KEYS).unlink()


@pytest.mark.parametrize(
    ("damage", "file", "reason"),
    [
        (cut_off, DATABASE, "is damaged"),
        (empty, DATABASE, "is missing"),
        (overwrite_pages, DATABASE, "is damaged"),
        (overwrite_header, DATABASE, "is damaged"),
        (replace_by_text, DATABASE, "is damaged"),
        (replace_by_another_programs, DATABASE, "is a database of another program"),
        (mark_as_newer, DATABASE, "was written by a newer version of jobtrack"),
        (rename_an_index, "jobtrack-JobsTable", "another set of indexes; use another folder with --data"),
        (replace_by_a_folder, DATABASE, "cannot open"),
        (cut_off_keys, KEYS, ""),
        (remove_members_of_keys, KEYS, ""),
        (delete_keys, KEYS, ""),
    ],
)
def test_files_that_cannot_be_used_stay_as_they_are(
    home: Path, data: Path, damage: Callable[[Path], None], file: str, reason: str
) -> None:
    damage(data / SQLITE)
    before = contents(data)
    line = refused(home, "--data", str(data))
    assert file in line
    assert reason in line
    assert contents(data) == before


def contents(folder: Path) -> dict[Path, bytes]:
    """Return the files of the folder without SQLite's log, which any reader creates."""
    paths = (path for path in folder.rglob("*") if path.is_file() and not path.name.endswith(("-wal", "-shm")))
    return {path: path.read_bytes() for path in paths}


@pytest.mark.parametrize(("engine", "other"), [(SQLITE, DYNAMODB_LOCAL), (DYNAMODB_LOCAL, SQLITE)])
def test_data_of_another_engine(home: Path, tmp_path: Path, engine: str, other: str) -> None:
    (tmp_path / other).mkdir()
    line = refused(home, "--engine", engine, "--data", str(tmp_path))
    assert line.endswith(f"has data of the engine {other}; use --engine {other}, or another folder with --data")


def test_a_second_service_on_the_default_folder(tmp_path: Path) -> None:
    with running(tmp_path, SQLITE, "--data", str(tmp_path / "data")):
        line = refused(tmp_path)
    assert line.endswith(
        f"{tmp_path / 'data'} is in use by another jobtrack serve; use --data DIR or --memory, and --port"
    )


def test_a_folder_and_memory(home: Path, tmp_path: Path) -> None:
    assert refused(home, "--memory", "--data", str(tmp_path)) == "jobtrack: use either --data or --memory"


def mounted(folder: Path, options: str) -> Sequence[str]:
    """Return a prefix of a command that sees an empty file system at the folder, in a mount namespace of its own."""
    mount = f"""mount -t tmpfs -o {options} none "$0" && exec "$@" """
    return ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", mount, str(folder)]


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ("ro", "cannot write to {}: Read-only file system"),
        ("mode=700,size=4k", "cannot write to {}: No space left on device"),
        ("mode=700,size=400k", "cannot write to {}: No space left on device"),
    ],
)
def test_a_disk_that_cannot_be_written(home: Path, tmp_path: Path, options: str, reason: str) -> None:
    line = refused(home, "--data", str(tmp_path), program=mounted(tmp_path, options))
    assert line == f"jobtrack: {reason.format(tmp_path)}"


@pytest.fixture
def shared(tmp_path: Path) -> Path:
    """Return a folder that other users can read, with a file."""
    folder = tmp_path / "shared"
    folder.mkdir()
    folder.chmod(0o755)
    (folder / "notes.txt").touch()
    return folder


def test_a_folder_with_files_that_others_can_read(home: Path, shared: Path) -> None:
    line = refused(home, "--data", str(shared))
    assert line.endswith(f"{shared} is open to other users; run chmod 700 {shared}, or choose another with --data")
    assert shared.stat().st_mode & 0o777 == 0o755
