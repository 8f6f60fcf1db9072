"""Run one cell of the table against the running service."""

import os
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx

from tests.e2e.endings.programs import program
from tests.e2e.endings.proxy import Proxy
from tests.e2e.endings.table import End, Way
from tests.e2e.running import Service, command
from tests.faults.serving import Server, serving

PATIENCE_SECONDS = 90
ENDED = ("Completed", "Failed", "Cancelled")


@dataclass(frozen=True)
class Seen:
    """The result of a run: how the job and its process ended, the number of jobs, and their log."""

    status: str
    code: int | None
    error: str
    lines: tuple[str, ...]
    jobs: int
    heartbeats: tuple[int, ...]


def run(service: Service, folder: Path, column: str, way: Way) -> Seen:
    """Run the program of a cell to its end, and read its job from the service."""
    tenant, project = str(uuid4()), str(uuid4())
    source = folder / f"{uuid4()}.py"
    source.write_text(program(column, way.program, way.name))
    proxy = Proxy(service.url, way.delay, way.failing, way.failure)
    with closing(proxy), serving(proxy) as server, service.client(tenant, project) as api:
        process = _started(_command(column, source, way.name), _environment(service, server, tenant, project))
        try:
            return _watched(process, api, proxy, way, way.expected(column))
        finally:
            process.kill()
            process.communicate()


def _watched(process: "subprocess.Popen[str]", api: httpx.Client, proxy: Proxy, way: Way, end: End) -> Seen:
    assert process.stdout is not None
    if way.signal is not None:
        next(line for line in process.stdout if line == "READY\n")
        if way.name == "backlog":
            _await(api, end.status)
        process.send_signal(way.signal)
    process.communicate(timeout=PATIENCE_SECONDS)
    _await(api, end.status)
    (job, *others) = _jobs(api)
    error = (job["error"] or {}).get("message", "")
    pages = api.get(f"/job/{job['jobId']}/logs", params={"level": "DEBUG", "limit": 10000}).json()["logs"]
    lines = tuple(entry["message"] for entry in pages)
    return Seen(_status(job), process.returncode, error, lines, 1 + len(others), tuple(proxy.heartbeats))


def _await(api: httpx.Client, status: str) -> None:
    """Wait until the job has ended, or has the expected status."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        if any(_status(job) in (*ENDED, status) for job in _jobs(api)):
            return
        time.sleep(0.2)


def _jobs(api: httpx.Client) -> list[dict[str, Any]]:
    jobs: list[dict[str, Any]] = api.get("/jobs").json()["jobs"]
    return jobs


def _status(job: dict[str, Any]) -> str:
    return f"{job['status']}, stalled" if job["stalled"] else str(job["status"])


def _started(command: list[str], environment: dict[str, str]) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        # Tests in the background ignore signals, and child processes would inherit that.
        ["env", "--default-signal", *command],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


def _command(column: str, source: Path, name: str) -> list[str]:
    python = [sys.executable, "-W", "ignore"]
    if column == "-m":
        return [*python, "-m", "jobtrack_client", "--name", name, str(source)]
    if column == "run":
        return command("run", "--name", name, "--", *python, str(source))
    return [*python, str(source)]


def _environment(service: Service, server: Server, tenant: str, project: str) -> dict[str, str]:
    return {**os.environ, **service.variables(tenant, project), "JOBTRACK_URL": server.url}
