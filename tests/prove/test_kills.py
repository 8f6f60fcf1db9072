"""`kill -9` of the service at random moments under load: acknowledged = readable = delivered."""

import random
import subprocess
import time
from pathlib import Path

import pytest

from tests.e2e.running import command, environment
from tests.prove.conftest import Tell
from tests.prove.proof import Proof, kill, proving
from tests.prove.scale import repeats

MOST_LOAD_SECONDS = 0.7
STARTS = 0.1
"""The share of kills that hit the service while it starts."""


@pytest.mark.parametrize(("engine", "full"), [("sqlite", 200), ("dynamodb-local", 20)])
def test_killed_at_any_moment_it_loses_nothing(home: Path, tmp_path: Path, engine: str, full: int, tell: Tell) -> None:
    kills = repeats(full)
    with proving(home, engine, tmp_path / "data") as proof:
        for _ in range(kills):
            if random.random() < STARTS:
                _kill_while_it_starts(proof)
            else:
                _kill_under_load(proof)
        with proof.serving() as service:
            figures = proof.conclude(service)
    tell(f"{engine}, killed {kills} times: {figures}")


def _kill_under_load(proof: Proof) -> None:
    """Kill it at a random moment; what was acknowledged before its start is readable."""
    before = [job for job in proof.load.snapshot() if not job.completed]
    with proof.serving() as service:
        proof.check_readable(service, before)
        time.sleep(random.uniform(0, MOST_LOAD_SECONDS))
        kill(service.process)


def _kill_while_it_starts(proof: Proof) -> None:
    process = subprocess.Popen(
        command("serve", "--port", "0", "--engine", proof.engine, "--data", str(proof.data)),
        env=environment(proof.home),
        stdout=subprocess.DEVNULL,
        text=True,
    )
    time.sleep(random.uniform(0, 1.5))
    kill(process)
