"""What other programs do to the file of a running service: nothing is acknowledged that is not stored."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.e2e.running import running

pytestmark = [
    pytest.mark.not_deployed("a deployed stack has no file"),
    pytest.mark.one_engine("sqlite", "the file is that of the engine sqlite"),
]


@dataclass(frozen=True)
class Serving:
    """A client of a service, and the service's file."""

    client: httpx.Client
    file: Path

    def create(self) -> httpx.Response:
        return self.client.post("/jobs", json={"jobName": "Import", "jobType": "import"})

    def check_refusal(self, job_id: str) -> None:
        """Assert that a write is refused, and that reads go on."""
        response = self.create()
        assert (response.status_code, response.json()["code"]) == (503, "unavailable")
        assert int(response.headers["retry-after"]) > 0
        assert self.client.get(f"/job/{job_id}").status_code == 200
        assert self.client.get("/jobs").json()["jobs"][0]["jobId"] == job_id


@pytest.fixture
def serving(home: Path, tmp_path: Path) -> Iterator[Serving]:
    with running(home, "sqlite", "--data", str(tmp_path / "data")) as service, service.client() as client:
        yield Serving(client, tmp_path / "data" / "sqlite" / "jobtrack.db")


def test_a_lock_of_another_program_refuses_writes_until_it_is_released(serving: Serving) -> None:
    job_id = serving.create().json()["jobId"]
    with closing(sqlite3.connect(serving.file, isolation_level=None)) as foreign:
        foreign.execute("BEGIN EXCLUSIVE")
        serving.check_refusal(job_id)
    assert serving.create().status_code == 201


def test_a_file_that_is_deleted_takes_no_more_writes(serving: Serving) -> None:
    job_id = serving.create().json()["jobId"]
    serving.file.unlink()
    serving.check_refusal(job_id)
