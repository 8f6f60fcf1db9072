"""The programs and commands that the README and the guides print do what they say."""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from tests.documents import blocks, program
from tests.e2e.reporting import event, reported, started
from tests.e2e.running import JOBTRACK, Service, environment
from tests.e2e.running import running as serving
from tests.stack import ROOT

pytestmark = pytest.mark.one_engine("sqlite", "a reader's commands are the same on each engine")
PATIENCE_SECONDS = 60


@dataclass(frozen=True)
class Running:
    """A program of the documents, and a job that the test reports on."""

    api: httpx.Client
    job: str
    process: subprocess.Popen[str]

    def line(self) -> str:
        """Return the next line of its output."""
        assert self.process.stdout is not None
        return self.process.stdout.readline()

    def rest(self) -> list[str]:
        """Return the rest of its output; it must succeed."""
        assert self.process.stdout is not None
        with self.process.stdout as said:
            lines = [*said]
        assert self.process.wait(PATIENCE_SECONDS) == 0
        return lines


@contextmanager
def running(name: str, service: Service, folder: Path) -> Iterator[Running]:
    """Run the program for a started job that is half done."""
    tenant, project = str(uuid4()), str(uuid4())
    place = folder / name
    place.write_text(program(name))
    with service.client(tenant, project) as api:
        job = started(api)
        reported(api, job, event("stageStarted", stageName="Load"), event("progressUpdate", progress=50))
        command = [sys.executable, str(place), job]
        yield Running(
            api,
            job,
            subprocess.Popen(
                command, env=os.environ | service.variables(tenant, project), stdout=subprocess.PIPE, text=True
            ),
        )


def test_follow_prints_what_happened_and_ends_with_the_job(service: Service, tmp_path: Path) -> None:
    with running("follow.py", service, tmp_path) as follower:
        said = [follower.line()]
        reported(follower.api, follower.job, event("stageCompleted", stageName="Load"), event("jobCompleted"))
        said += follower.rest()
    assert [line.split()[:2] for line in said] == [
        ["2", "jobStarted"],
        ["3", "stageStarted"],
        ["4", "progressUpdate"],
        ["5", "stageCompleted"],
        ["6", "jobCompleted"],
    ]


def test_watch_prints_progress_as_it_changes_and_then_the_log(service: Service, tmp_path: Path) -> None:
    with running("watch.py", service, tmp_path) as watcher:
        assert watcher.line().startswith("50 ")
        line = event("log", level="INFO", message="60 rows are fine")
        reported(watcher.api, watcher.job, line, event("jobCompleted"))
        *_, last, entry = watcher.rest()
    assert last == "100 0 seconds\n"
    assert entry.endswith(" INFO 60 rows are fine\n")


GUIDES = ("README.md", "docs/reporting.md", "docs/watching.md", "docs/api.md")
"""The documents whose commands a reader can run one after the other."""
ELSEWHERE = ("jobtrack serve", "jobtrack demo", "jobtrack subscribe")
"""The test serves itself; test_demo.py runs the demo; a subscription needs a running job (test_commands.py)."""
RUN = re.compile(r"(jobtrack|curl|python3?) |(API|AUTH|JOB)=")


def commands() -> list[str]:
    """Return the commands of the guides that end on their own, in order."""
    shell = [block for guide in GUIDES for block in blocks(ROOT / guide) if block.language == "sh"]
    lines = [line for block in shell for line in block.commands]
    return [line for line in lines if RUN.match(line) and not line.startswith(ELSEWHERE)]


@pytest.mark.not_deployed("its commands find what `jobtrack serve` keeps of itself")
def test_every_command_can_be_run_in_a_row_with_nothing_set(engine: str, tmp_path: Path) -> None:
    for name in ("loop.py", "three.py", "nightly.py", "report.py"):
        (tmp_path / name).write_text(re.sub(r"sleep\(.*\)", "sleep(0.01)", program(name)))
    with serving(tmp_path / "home", engine) as service:
        script = "\n".join(f"echo; echo '$' {shlex.quote(command)}\n{command}" for command in commands())
        script = script.replace("http://127.0.0.1:8080", service.url)
        path = f"{JOBTRACK.parent}:{os.environ['PATH']}"
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=tmp_path,
            env=environment(service.home) | {"PATH": path, "NO_PROXY": "127.0.0.1"},
            capture_output=True,
            text=True,
            timeout=3 * PATIENCE_SECONDS,
            check=False,
        )
    assert done.returncode == 0, done.stdout + done.stderr
    said = {part.partition("\n")[0]: part.partition("\n")[2] for part in done.stdout.split("\n$ ")}
    assert len(said) > 15
    assert "row 59" in said["jobtrack run --name loop -- python3 loop.py"]
    assert "loop" not in said["jobtrack status nightly"]
    assert said["jobtrack open --print"].startswith(f"{service.url}/#/")
    assert "60 rows are fine" in said["jobtrack logs --level info --since 10m"]
    assert done.stdout.count("Completed 100 %") >= 2
