"""`jobtrack backup` and `restore`: a service on the restored data goes on where the backup was made."""

import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from jobtrack_demo.receiver import Gate, Receiver
from tests.e2e.running import START_SECONDS, command, environment, running
from tests.e2e.test_kill import lines
from tests.e2e.test_push import TOKEN, arrived, job, report, subscribed

pytestmark = [
    pytest.mark.not_deployed("backups of a stack are those of DynamoDB"),
    pytest.mark.one_engine("sqlite", "backups need the engine sqlite"),
]
BATCH: list[tuple[str, dict[str, object]]] = [("log", {"level": "INFO", "message": "line"})] * 10


def jobtrack(home: Path, *arguments: object) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        command(*map(str, arguments)),
        env=environment(home),
        capture_output=True,
        text=True,
        timeout=START_SECONDS,
        check=False,
    )


def refused(home: Path, *arguments: object) -> str:
    """Return the one line of a command that fails."""
    done = jobtrack(home, *arguments)
    assert (done.returncode, done.stdout) == (1, "")
    (line,) = done.stderr.splitlines()
    return line


def succeeded(home: Path, *arguments: object) -> str:
    done = jobtrack(home, *arguments)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


@contextmanager
def writing(client: httpx.Client, job_id: str) -> Iterator[None]:
    """Report lines within the block."""
    stopped = threading.Event()

    def write() -> None:
        while not stopped.is_set():
            report(client, job_id, *BATCH)

    thread = threading.Thread(target=write)
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join()


def test_a_restored_service_has_the_jobs_and_signs_with_the_same_secrets(home: Path, tmp_path: Path) -> None:
    tenant, project, gate = str(uuid4()), str(uuid4()), Gate(TOKEN)
    source, target, file = tmp_path / "source", tmp_path / "target", tmp_path / "backup"
    with Receiver(gate) as receiver:
        with (
            running(home, "sqlite", "--data", str(source)) as service,
            service.client(tenant, project) as client,
            service.client(tenant, project) as writer,
        ):
            job_id = job(client)
            gate.know(subscribed(client, job_id, receiver.url, "jobStarted", "milestone"))
            report(client, job_id, ("jobStarted", {}), *BATCH)
            arrived(gate, 1)
            with writing(writer, job_id):
                assert str(file) in succeeded(home, "backup", file, "--data", source)
            newest = len(lines(client, job_id))
        assert str(target) in succeeded(home, "restore", file, "--data", target)
        with running(home, "sqlite", "--data", str(target)) as service, service.client(tenant, project) as client:
            restored = len(lines(client, job_id))
            assert 10 <= restored <= newest
            assert restored % 10 == 0  # whole batches
            report(client, job_id, ("milestone", {"description": "after the restore"}))
            inbox = arrived(gate, 2)
    assert inbox.types() == {"jobStarted": 1, "milestone": 1}
    assert inbox.refused == []


def test_what_cannot_be_backed_up_or_restored_is_refused_in_one_line(home: Path, tmp_path: Path) -> None:
    data, file = tmp_path / "data", tmp_path / "backup"
    assert refused(home, "backup", file, "--data", data) == f"jobtrack: there is no data in {data}"
    with running(home, "sqlite", "--data", str(data)) as service:
        succeeded(home, "backup", file, "--data", data)
        assert refused(home, "backup", file, "--data", data) == f"jobtrack: {file} exists; --force replaces it"
        succeeded(home, "backup", file, "--data", data, "--force")
        for arguments in ((), ("--force",)):
            assert "is in use by another jobtrack serve" in refused(home, "restore", file, "--data", data, *arguments)
        service.stop()
    assert refused(home, "restore", file, "--data", data) == f"jobtrack: {data} is not empty; --force replaces its data"
    succeeded(home, "restore", file, "--data", data, "--force")
    database = data / "sqlite" / "jobtrack.db"
    line = refused(home, "backup", database, "--data", data, "--force")
    assert line == f"jobtrack: {database} is in the folder of the data; choose a file outside {data}"
    assert refused(home, "restore", database, "--data", tmp_path / "new").endswith("not a backup of `jobtrack backup`")


def test_a_file_is_no_data_folder(home: Path, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("text")
    assert refused(home, "backup", tmp_path / "backup", "--data", file) == f"jobtrack: {file} is not a folder"
    assert refused(home, "serve", "--data", file) == f"jobtrack: {file} is not a folder"


def test_data_of_dynamodb_local_has_no_backup(home: Path, tmp_path: Path) -> None:
    (tmp_path / "data" / "dynamodb-local").mkdir(parents=True)
    line = refused(home, "backup", tmp_path / "backup", "--data", tmp_path / "data")
    assert line.endswith("holds data of dynamodb-local; a backup needs the engine sqlite")


def test_a_backup_is_not_restored_beside_data_of_dynamodb_local(home: Path, tmp_path: Path) -> None:
    data, file = tmp_path / "data", tmp_path / "backup"
    with running(home, "sqlite", "--data", str(data)):
        succeeded(home, "backup", file, "--data", data)
    (tmp_path / "other").mkdir(mode=0o700)
    (tmp_path / "other" / "dynamodb-local").mkdir()
    line = refused(home, "restore", file, "--data", tmp_path / "other", "--force")
    assert "has data of the engine dynamodb-local" in line
