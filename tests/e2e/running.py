"""A service for a test, `jobtrack serve` or a deployed stack: start it, call it, and end it by its process id."""

import os
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from uuid import uuid4

import httpx
import psutil
import pytest

from jobtrack_local import tokens
from tests.deployed.stack import Stack

JOBTRACK = Path(sys.executable).parent / "jobtrack"
DATABASE = "jobtrack.db"
DEPLOYED = "deployed"
"""The engine that is template.yaml deployed on ministack (tests/deployed), instead of `jobtrack serve`."""
START_SECONDS = 60
STOP_SECONDS = 30


@dataclass(frozen=True)
class Service:
    """A service at `url`; `home` has the key that signs its tokens."""

    process: subprocess.Popen[str]
    url: str
    home: Path
    stack: Stack | None = None

    @cached_property
    def issuer(self) -> str:
        """The issuer of the accepted tokens."""
        return self.stack.parameter("JwtIssuer") if self.stack else tokens.ISSUER

    def token(self, tenant: str, project: str | None = None, scope: str = tokens.SCOPES, ttl: float = 3600) -> str:
        """Return a token that this service accepts."""
        return tokens.issue(tenant, project, scope, ttl, issuer=self.issuer, home=self.home)

    def client(self, tenant: str | None = None, project: str | None = None) -> httpx.Client:
        """Return a client at `/api/{tenant}/{project}/execution`, of a new tenant by default."""
        tenant, project = tenant or str(uuid4()), project or str(uuid4())
        return httpx.Client(
            base_url=f"{self.url}/api/{tenant}/{project}/execution",
            headers={"Authorization": f"Bearer {self.token(tenant)}"},
            timeout=30,
            trust_env=False,
        )

    def variables(self, tenant: str, project: str) -> dict[str, str]:
        """Return the variables by which a client finds the service."""
        return {
            "JOBTRACK_URL": self.url,
            "JOBTRACK_TENANT": tenant,
            "JOBTRACK_PROJECT": project,
            "JOBTRACK_TOKEN": self.token(tenant),
            "NO_PROXY": "127.0.0.1",
        }

    def engines(self) -> list[psutil.Process]:
        """Return the child processes of the service."""
        return psutil.Process(self.process.pid).children(recursive=True)

    @property
    def embedded(self) -> Path:
        """The folder of its SQLite engine."""
        paths = [Path(file.path) for file in psutil.Process(self.process.pid).open_files()]
        return next(path.parent for path in paths if path.name == DATABASE)

    def stop(self) -> int:
        """Send SIGTERM, and return the exit status."""
        self.process.terminate()
        return self.process.wait(STOP_SECONDS)

    def kill(self) -> list[psutil.Process]:
        """`kill -9`; return the engines that are left, which must end on their own."""
        engines = self.engines()
        self.process.kill()
        self.process.wait(STOP_SECONDS)
        return engines


def command(*arguments: str) -> list[str]:
    """Return `jobtrack …` of this environment."""
    return [str(JOBTRACK), *arguments]


def environment(home: Path) -> dict[str, str]:
    """Return the environment of a terminal, with the key in `home`."""
    return {**os.environ, "JOBTRACK_HOME": str(home), "NO_COLOR": "1", "COLUMNS": "200"}


@contextmanager
def running(home: Path, engine: str, *arguments: str, program: Sequence[str] = (str(JOBTRACK),)) -> Iterator[Service]:
    """Run `jobtrack serve` on a free port, or a deployed stack; it and its engines end with the block."""
    if engine == DEPLOYED:
        program = _deploying(arguments)
    elif "--data" not in arguments:
        arguments = ("--memory", *arguments)
    process = subprocess.Popen(
        [*program, "serve", "--port", "0", "--engine", engine, *arguments],
        env=environment(home),
        stdout=subprocess.PIPE,
        text=True,
    )
    found: list[psutil.Process] = []
    try:
        url = _url(process)
        service = Service(process, url, home, Stack.behind(url) if engine == DEPLOYED else None)
        found = service.engines()
        yield service
    finally:
        if process.poll() is None:
            process.terminate()
        _end(process)
        assert process.stdout is not None
        process.stdout.close()
        assert not psutil.wait_procs(found, timeout=STOP_SECONDS)[1], "an engine outlived its service"


def _deploying(arguments: Sequence[str]) -> Sequence[str]:
    if arguments:
        pytest.skip(f"a deployed stack has no {arguments[0]}")
    return (sys.executable, "-m", "tests.deployed")


def _url(process: subprocess.Popen[str]) -> str:
    """Return the URL of the line that says the service is ready."""
    lines: queue.SimpleQueue[str] = queue.SimpleQueue()
    output = process.stdout
    assert output is not None
    threading.Thread(target=lambda: lines.put(output.readline()), daemon=True).start()
    line = lines.get(timeout=START_SECONDS)
    assert line.startswith("jobtrack serves at http://127.0.0.1:"), line
    return line.split()[-1]


def _end(process: subprocess.Popen[str]) -> None:
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        raise
