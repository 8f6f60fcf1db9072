"""Both wheels, built, and an environment of their own in which they are installed."""

import os
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.stack import ROOT

WATCH = """
import sys
def note(event, arguments):
    if event == "open" and str(arguments[0]).startswith({root!r}) and not str(arguments[0]).startswith({allowed!r}):
        with open({log!r}, "a") as file:
            print(arguments[0], file=file)
sys.addaudithook(note)
"""
"""Notes which files of the repository are opened, imports included. Only third-party packages may be."""


@dataclass(frozen=True)
class Installed:
    """An environment with both wheels, and an empty folder to work in."""

    environment: Path
    folder: Path
    opened: Path
    """Lists the files of the repository that the programs of the environment have opened."""

    @property
    def variables(self) -> Mapping[str, str]:
        """The environment variables of a user who has set none of ours."""
        bare = {name: text for name, text in os.environ.items() if not name.startswith(("JOBTRACK_", "PYTHON", "AWS_"))}
        return {**bare, "JOBTRACK_HOME": str(self.folder.parent / "home"), "NO_PROXY": "127.0.0.1"}

    def command(self, name: str, *arguments: str) -> list[str]:
        return [str(self.environment / "bin" / name), *arguments]

    def run(self, name: str, *arguments: str) -> str:
        done = subprocess.run(
            self.command(name, *arguments),
            cwd=self.folder,
            env=self.variables,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture(scope="session")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    """The wheels, built as `make wheels` does, by the name of the distribution."""
    folder = tmp_path_factory.mktemp("dist")
    for project in (ROOT, ROOT / "client"):
        build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
        subprocess.run(build, cwd=project, check=True, capture_output=True)
    return {wheel.name.partition("-")[0]: wheel for wheel in folder.glob("*.whl")}


@pytest.fixture(scope="session")
def installed(wheels: Mapping[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """Both wheels in an environment that has the repository's third-party packages, but no editable installation."""
    environment, folder = tmp_path_factory.mktemp("environment"), tmp_path_factory.mktemp("empty") / "work"
    folder.mkdir()
    venv.create(environment, with_pip=False)
    install = ["pip", "install", "--quiet", "--offline", "--no-deps", "--no-index", "--python", str(environment)]
    subprocess.run([sys.executable, "-m", "uv", *install, *map(str, wheels.values())], check=True, capture_output=True)
    (packages,) = environment.glob("lib/python*/site-packages")
    third_party, opened = sysconfig.get_path("purelib"), environment / "opened.txt"
    opened.touch()
    # Python searches the path in a .pth file, but does not read the .pth files there: the editable installations.
    (packages / "third-party.pth").write_text(third_party)
    watch = WATCH.format(root=f"{ROOT}/", allowed=third_party, log=str(opened))
    (packages / "sitecustomize.py").write_text(watch)
    return Installed(environment, folder, opened)
