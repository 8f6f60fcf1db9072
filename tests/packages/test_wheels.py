"""What the wheels hold, what they require, and that they serve without the repository."""

import json
import re
import subprocess
import tomllib
from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

import httpx
import pytest
from packaging.requirements import Requirement

from scripts.wheels import files, packages, requirements
from tests.packages.conftest import Installed
from tests.stack import FUNCTIONS, ROOT

MOST_BYTES = 200_000
FORBIDDEN = re.compile(r"pydantic|boto|aws|fastapi|starlette|ministack", re.IGNORECASE)
STACK = "jobtrack_local/stack_files"
TRACK = """
import sys
from jobtrack_client import track
for row in track(range(3), "Import"):
    pass
print(*{module.__file__ for name, module in sys.modules.items() if name.startswith("jobtrack")}, sep="\\n")
"""


@pytest.fixture(scope="module")
def url(installed: Installed) -> Iterator[str]:
    """A service that `jobtrack serve` runs in an empty folder."""
    with subprocess.Popen(
        installed.command("jobtrack", "serve", "--port", "0"),
        cwd=installed.folder,
        env=installed.variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as service:
        assert service.stdout is not None
        line = service.stdout.readline()
        yield line.rpartition(" ")[2].strip()
        service.terminate()
        assert service.communicate(timeout=60)[1] == ""


def test_the_client_is_one_small_package(wheels: Mapping[str, Path]) -> None:
    assert packages(wheels["jobtrack_client"]) == {"jobtrack_client"}
    assert wheels["jobtrack_client"].stat().st_size < MOST_BYTES


def test_the_service_is_packages_of_its_own_name_and_the_files_of_the_stack(wheels: Mapping[str, Path]) -> None:
    assert packages(wheels["jobtrack"]) == {"jobtrack", "jobtrack_demo", "jobtrack_local"}
    held = files(wheels["jobtrack"])
    assert {f"{STACK}/{function['CodeUri'].rstrip('/')}/app.py" for function in FUNCTIONS.values()} <= {*held}
    page = {f"{STACK}/{path.relative_to(ROOT)}" for path in ROOT.glob("web/**/*") if path.is_file()}
    assert {f"{STACK}/template.yaml", *page} <= {*held}


def test_the_service_requires_the_client_of_its_own_version(wheels: Mapping[str, Path]) -> None:
    service, client = (
        tomllib.loads((folder / "pyproject.toml").read_text())["project"] for folder in (ROOT, ROOT / "client")
    )
    assert service["version"] == client["version"]
    assert service["dependencies"] == [f"jobtrack-client=={client['version']}"]
    assert f"jobtrack-client=={client['version']}" in requirements(wheels["jobtrack"])


@pytest.mark.parametrize(
    "system",
    [
        {"sys_platform": "linux", "platform_system": "Linux", "os_name": "posix"},
        {"sys_platform": "darwin", "platform_system": "Darwin", "os_name": "posix"},
        {"sys_platform": "win32", "platform_system": "Windows", "os_name": "nt"},
    ],
    ids=lambda system: system["platform_system"],
)
def test_the_client_pulls_in_nothing_of_the_service(wheels: Mapping[str, Path], system: Mapping[str, str]) -> None:
    needed: set[str] = set()
    waiting = [Requirement(each) for each in requirements(wheels["jobtrack_client"])]
    while waiting:
        requirement = waiting.pop()
        if requirement.marker is None or requirement.marker.evaluate({**system, "extra": ""}):
            if requirement.name not in needed:
                waiting += [Requirement(each) for each in _requires(requirement.name)]
            needed.add(requirement.name)
    assert {"httpx", "rich", "typer", "websockets", "idna"} <= needed
    assert [name for name in needed if FORBIDDEN.search(name)] == []


def _requires(name: str) -> list[str]:
    """What an installed package requires; one that only another system needs is not installed."""
    try:
        return requires(name) or []
    except PackageNotFoundError:
        return []


def test_serve_answers_from_an_empty_folder(installed: Installed, url: str) -> None:
    assert httpx.get(f"{url}/health").json()["status"] == "ok"
    page = httpx.get(url)
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert httpx.get(f"{url}/app.js").text == (ROOT / "web/app.js").read_text()
    assert httpx.get(f"{url}/openapi.json").json()["openapi"].startswith("3.")


def test_a_tracked_loop_reports_to_it(installed: Installed, url: str) -> None:
    modules = installed.run("python", "-c", TRACK).splitlines()
    assert [path for path in modules if not path.startswith(str(installed.environment))] == []
    (job,) = json.loads(installed.run("jobtrack", "jobs", "--json"))
    assert (job["jobName"], job["status"]) == ("Import", "Completed")


def test_the_local_commands_are_listed(installed: Installed) -> None:
    words = installed.run("jobtrack", "--help")
    assert [
        name for name in ("serve", "demo", "backup", "restore", "token", "fetch-dynamodb-local") if name not in words
    ] == []


def test_nothing_of_the_repository_was_opened(installed: Installed, url: str) -> None:
    installed.run("jobtrack", "token")
    assert installed.opened.read_text() == ""
