"""What other users of the machine can reach: one port on loopback, and no file."""

import stat
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from jobtrack_local.engine.engines import DYNAMODB_LOCAL
from tests.e2e.receiving import subscribed
from tests.e2e.reporting import line, reported, started
from tests.e2e.running import JOBTRACK, Service, running

pytestmark = pytest.mark.not_deployed("is about jobtrack serve itself")


def listeners(service: Service) -> list[tuple[str, int]]:
    """Return the address of each listening socket of the service and its engine, by any protocol."""
    process = psutil.Process(service.process.pid)
    return [
        (connection.laddr.ip.removeprefix("::ffff:"), connection.laddr.port)
        for each in (process, *process.children(recursive=True))
        for connection in each.net_connections("inet")
        if connection.status in (psutil.CONN_LISTEN, psutil.CONN_NONE)  # UDP has no status
    ]


def use(service: Service) -> None:
    """Write items, messages and secrets."""
    with service.client() as client:
        job = started(client)
        subscribed(client, job, "http://127.0.0.1:9/", "milestone")
        reported(client, job, line("a line"))


def test_it_has_one_port_and_dynamodb_local_has_another(service: Service, engine: str) -> None:
    use(service)
    found = listeners(service)
    assert {address for address, _ in found} == {"127.0.0.1"}
    assert int(service.url.rpartition(":")[2]) in {port for _, port in found}
    assert len(found) == (2 if engine == DYNAMODB_LOCAL else 1)


def entries(folder: Path) -> Iterator[tuple[Path, int]]:
    """Yield the folder and everything below it, with the bits of its mode."""
    for path in (folder, *folder.rglob("*")):
        yield path, stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_every_file_is_for_its_user_only(tmp_path: Path, engine: str, end: str) -> None:
    """Also under a umask that admits everybody, while the service runs, and after it was killed."""
    home, data = tmp_path / "home", tmp_path / "home" / "data"
    program = ("sh", "-c", """umask 0; exec "$0" "$@" """, str(JOBTRACK))
    with running(home, engine, "--data", str(data), program=program) as service:
        use(service)
        modes = dict(entries(home))
        getattr(service, end)()
    names = {path.name for path in modes}
    assert {"signing-key.pem", "serve.lock", "jobtrack.db", "jobtrack.db-wal", "jobtrack.db-shm", "keys.json"} <= names
    assert {path: oct(mode) for path, mode in {**modes, **dict(entries(home))}.items() if mode & 0o077} == {}


@pytest.mark.one_engine("sqlite", "both keep their data in the same folder")
@pytest.mark.parametrize("through_link", [False, True])
def test_an_empty_folder_is_made_private(tmp_path: Path, home: Path, through_link: bool) -> None:
    folder, link = tmp_path / "data", tmp_path / "link"
    folder.mkdir()
    folder.chmod(0o755)
    link.symlink_to(folder)
    with running(home, "sqlite", "--data", str(link if through_link else folder)) as service:
        use(service)
        assert {oct(mode) for _, mode in entries(folder) if mode & 0o077} == set()
        assert service.embedded.parent == folder


@pytest.mark.one_engine("sqlite", "both keep their data in the same folder")
def test_memory_leaves_no_file(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    with running(home, "sqlite", "--memory") as service:
        use(service)
        assert {oct(mode) for path, mode in entries(tmp_path) if path != tmp_path and mode & 0o077} == set()
        assert service.stop() == 0
    assert list(tmp_path.iterdir()) == []
