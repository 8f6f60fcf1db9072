"""The programs of this project import nothing from the working directory, whatever files it has."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from subprocess import PIPE, Popen

import httpx
import pytest
import typer.main

from jobtrack_client import cli, profiles
from jobtrack_demo.children import Child
from jobtrack_local import profile
from tests.faults.serving import ROOT, Server, serving
from tests.unit.client.service import GUID, Service

SCRIPT = (str(Path(sys.executable).parent / "jobtrack"),)
MODULE = (sys.executable, "-m", "jobtrack_client.cli")
HOSTILE = "import os\nos.write(2, b'EXECUTED ' + __name__.encode())\nos._exit(99)\n"
LISTING = """
import sys
{imports}
print(*{{name.partition(".")[0] for name, module in sys.modules.items() if getattr(module, "__file__", None)}})
"""
EVERYTHING = """
from jobtrack_client import cli
cli.build()
import httpx, jobtrack_demo.session, jobtrack_local.service
import platformdirs, plotext, psutil, rich.live, rich.tree, webbrowser
import websockets.sync.client
httpx.Client()
"""
PROGRAM = "import sys\nprint('ran', *sys.argv[1:])\n"


def imported(imports: str) -> set[str]:
    """Return the top-level modules that are files, after Python has started and imported these."""
    listing = LISTING.format(imports=imports)
    done = subprocess.run([sys.executable, "-c", listing], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


@pytest.fixture(scope="module")
def early() -> set[str]:
    """Return the modules that Python and pip's script import before our first line runs, and that line's package."""
    return {*imported("import re, runpy"), "jobtrack_client", "__main__"}


@pytest.fixture(scope="module")
def names(early: set[str]) -> set[str]:
    return imported(EVERYTHING) - early


@pytest.fixture
def hostile(tmp_path: Path, names: set[str]) -> Path:
    """Create a working directory with a file for each module that we import."""
    folder = tmp_path / "downloads"
    folder.mkdir()
    for name in names | {"functions"}:
        (folder / f"{name}.py").write_text(HOSTILE)
    return folder


@pytest.fixture
def server() -> Iterator[Server]:
    service = Service()

    def answer(request: httpx.Request) -> httpx.Response:
        listed = request.method == "GET" and request.url.path.endswith("/jobs")
        return httpx.Response(200, json={"jobs": [], "nextCursor": None}) if listed else service(request)

    with serving(answer) as server:
        yield server


@pytest.fixture
def home(tmp_path: Path, server: Server) -> Iterator[dict[str, str]]:
    """The environment of a user while `jobtrack serve` runs; its profile has a token command."""
    bare = {name: text for name, text in os.environ.items() if not name.startswith(("JOBTRACK_", "PYTHON"))}
    with profile.publish(server.url, tmp_path / "home"):
        yield {**bare, "JOBTRACK_HOME": str(tmp_path / "home"), "NO_PROXY": "127.0.0.1"}


def run(command: tuple[str, ...], folder: Path, environ: Mapping[str, str]) -> tuple[int, str]:
    done = subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stderr


def test_the_list_of_hostile_files_is_not_empty(names: set[str]) -> None:
    assert {"httpcore", "httpx", "json", "jwt", "jobtrack_local", "platformdirs", "rich", "typer"} <= names


@pytest.mark.parametrize(
    ("command", "path"),
    [
        *((SCRIPT, path) for path in (None, "", ":", "/nonexistent:", "/nonexistent::/other", "./")),
        *((MODULE, path) for path in (None, ":/nonexistent")),
    ],
)
def test_a_command_and_the_token_command_that_it_starts(
    command: tuple[str, ...], path: str | None, hostile: Path, home: dict[str, str]
) -> None:
    environ = home if path is None else home | {"PYTHONPATH": path}
    assert run((*command, "jobs"), hostile, environ) == (0, "")


def test_the_script_imports_nothing_at_all_from_there(hostile: Path, early: set[str], home: dict[str, str]) -> None:
    for name in early - {"__main__"}:
        (hostile / f"{name}.py").write_text(HOSTILE)
    assert run((*SCRIPT, "jobs"), hostile, home) == (0, "")


@pytest.mark.parametrize("path", [{}, {"PYTHONPATH": ""}], ids=["unset", "empty"])
def test_what_is_installed_from_the_working_directory_is_found(path: dict[str, str], home: dict[str, str]) -> None:
    """As in this project's environment: the entries of `site` are not in PYTHONPATH."""
    assert run((*SCRIPT, "token"), ROOT, home | path) == (0, "")


def test_no_commands_help(hostile: Path, home: dict[str, str]) -> None:
    group = typer.main.get_command(cli.build())
    commands = [*getattr(group, "commands", ())]
    assert {"jobs", "serve", "demo", "token", "listen"} <= {*commands}
    with ThreadPoolExecutor(2) as pool:
        ran = list(pool.map(lambda name: run((*SCRIPT, name, "--help"), hostile, home), commands))
    assert dict(zip(commands, ran, strict=True)) == dict.fromkeys(commands, (0, ""))


def test_a_program_that_is_tracked_imports_from_its_own_folder_only(
    hostile: Path, tmp_path: Path, server: Server, home: dict[str, str]
) -> None:
    (tmp_path / "program.py").write_text("import beside\nimport sys\nprint(*sys.argv[1:])\n")
    (tmp_path / "beside.py").write_text("")
    command = (sys.executable, "-m", "jobtrack_client", str(tmp_path / "program.py"), "7")
    assert run(command, hostile, home) == (0, "")


def test_what_a_tracked_program_has_beside_it_is_not_what_we_import(
    hostile: Path, server: Server, home: dict[str, str]
) -> None:
    (hostile / "program.py").write_text(PROGRAM)
    assert run((sys.executable, "-m", "jobtrack_client", "program.py"), hostile, home) == (0, "")


@pytest.mark.parametrize("flags", [(), ("-P",)])
def test_a_module_is_found_in_the_working_directory_as_python_itself_does(
    flags: tuple[str, ...], tmp_path: Path, server: Server, home: dict[str, str]
) -> None:
    (tmp_path / "program.py").write_text(PROGRAM)
    code, said = run((sys.executable, *flags, "-m", "jobtrack_client", "-m", "program"), tmp_path, home)
    assert (code, "No module named program" in said) == ((1, True) if flags else (0, False))


@pytest.mark.parametrize("module", ["jobtrack_demo.miner", "jobtrack_local"])
def test_the_processes_of_the_demo(
    module: str, hostile: Path, home: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(hostile)
    with Child("worker", ["-m", module, "--help"], {**home, "PYTHONPATH": ":"}, 5) as child:
        child.wait(60)
        assert child.exit_code == 0, child.last_words


def test_a_service_and_its_engine(hostile: Path, home: dict[str, str]) -> None:
    command, environ = (*SCRIPT, "serve", "--port", "0"), home | {"PYTHONPATH": ":"}
    with Popen(command, cwd=hostile, env=environ, stdout=PIPE, stderr=PIPE, text=True) as service:
        assert service.stdout is not None
        assert service.stderr is not None
        line = service.stdout.readline()
        service.terminate()
        assert (line.split(" at ")[0], service.stderr.read()) == ("jobtrack serves", "")


def test_the_profile_of_a_local_service_names_no_module_by_the_working_directory(home: dict[str, str]) -> None:
    command = profiles.profile(home).token_command
    assert command is not None
    assert command[1:4] == ("-P", "-m", "jobtrack_client.cli"), json.dumps([GUID, *command])
