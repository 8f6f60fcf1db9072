"""The README's program that follows a job does what the README says."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path
from uuid import uuid4

from tests.e2e.reporting import event, reported, started
from tests.e2e.running import Service
from tests.stack import ROOT

PATIENCE_SECONDS = 60


def program(name: str) -> str:
    """The program that the README says to save under the name: what is indented below."""
    below = (ROOT / "README.md").read_text().split(f"Save this as `{name}`")[1].splitlines()[2:]
    lines = []
    for line in below:
        if line and not line.startswith("    "):
            break
        lines.append(line)
    return textwrap.dedent("\n".join(lines))


def test_follow_prints_what_happened_and_ends_with_the_job(service: Service, tmp_path: Path) -> None:
    tenant, project = str(uuid4()), str(uuid4())
    place = tmp_path / "follow.py"
    place.write_text(program("follow.py"))
    environment = os.environ | {
        "JOBTRACK_URL": service.url,
        "JOBTRACK_TENANT": tenant,
        "JOBTRACK_PROJECT": project,
        "JOBTRACK_TOKEN": service.token(tenant),
        "NO_PROXY": "127.0.0.1",
    }
    with service.client(tenant, project) as api:
        job = started(api)
        reported(api, job, event("stageStarted", stageName="Load"), event("progressUpdate", progress=50))
        follower = subprocess.Popen(
            [sys.executable, str(place), job], env=environment, stdout=subprocess.PIPE, text=True
        )
        assert follower.stdout is not None
        said = [follower.stdout.readline()]
        reported(api, job, event("stageCompleted", stageName="Load"), event("jobCompleted"))
        said += follower.stdout
        follower.stdout.close()
    assert follower.wait(PATIENCE_SECONDS) == 0
    assert [line.split()[:2] for line in said] == [
        ["2", "jobStarted"],
        ["3", "stageStarted"],
        ["4", "progressUpdate"],
        ["5", "stageCompleted"],
        ["6", "jobCompleted"],
    ]
