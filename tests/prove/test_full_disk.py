"""A full disk under load: nothing is acknowledged that is not stored, reads go on, and space is enough to recover."""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import httpx
import psutil
import pytest

from tests.e2e.running import JOBTRACK, Service, running
from tests.prove.conftest import Tell
from tests.prove.full_disk import Disk, failing_disk, small_disk
from tests.prove.load import client_of
from tests.prove.proof import Proof, proving
from tests.prove.scale import FULL, repeats

LOAD_SECONDS = 1.0
REFUSALS = 5
"""Responses with 503 after which there is space again."""
MOST_LOG_LINES = 30
"""Lines that the service logs in an outage of a minute."""


@pytest.mark.parametrize("kind", [small_disk, failing_disk])
def test_a_full_or_failing_disk_refuses_writes_and_loses_nothing(
    home: Path, tmp_path: Path, kind: Callable[[Path], AbstractContextManager[Disk]], tell: Tell
) -> None:
    log = tmp_path / "log"
    program = ("bash", "-c", f'exec "{JOBTRACK}" "$@" 2> >(cat >"{log}")', "bash")  # the service's files are limited
    times = repeats(20)
    with kind(tmp_path / "disk") as disk, proving(home, "sqlite", tmp_path / "disk" / "data") as proof:
        with running(home, "sqlite", "--data", str(proof.data), program=program) as service:
            process = psutil.Process(service.process.pid)
            for _ in range(times):
                proof.load.use(service)
                time.sleep(LOAD_SECONDS)
                disk.fill(process)
                refused(service, proof)
                disk.free(process)
            figures = conclude(proof, service)
        lines = log.read_text().splitlines()
    assert len(lines) <= MOST_LOG_LINES * times
    tell(f"{type(disk).__name__}, filled {times} times: {figures}; {len(lines)} lines of log")


def conclude(proof: Proof, service: Service) -> str:
    """In short runs, do not wait until messages that were received on a full disk are visible again."""
    if FULL:
        return proof.conclude(service)
    proof.load.finish()
    assert proof.load.failures == []
    jobs = proof.load.snapshot()
    proof.check_readable(service, jobs)
    return f"{len(jobs)} jobs: acknowledged = readable"


def refused(service: Service, proof: Proof) -> None:
    """Assert that writes get 503 and that reads go on. Until then, writes use the space that the files have."""
    with client_of(service, proof.load.tenant, proof.load.project) as client:
        refusals = 0
        while refusals < REFUSALS:
            response = create(client)
            if response.status_code != 201:
                refusals += 1
                assert (response.status_code, response.json()["code"]) == (503, "unavailable")
                assert int(response.headers["retry-after"]) > 0
        proof.check_readable(service, proof.load.snapshot())


def create(client: httpx.Client) -> httpx.Response:
    return client.post("/jobs", json={"jobName": "x" * 100, "jobType": "full"})
