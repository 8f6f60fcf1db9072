"""`python -m jobtrack_client`: a program that knows nothing of jobs, run as one."""

import sys
from pathlib import Path

import pytest

from tests.faults.serving import run, serving
from tests.unit.client.service import Service

PROGRAM = """
import logging, sys
from multiprocessing import get_context
from tqdm import tqdm, trange

logging.basicConfig(level=logging.INFO)
LOGGER = logging.getLogger("program")

def square(number):
    LOGGER.info("squaring %d", number)
    return number * number

if __name__ == "__main__":
    for number in trange(3, desc="Load"):
        LOGGER.info("row %d", number)
    with get_context("fork").Pool(2) as pool:
        print(sum(tqdm(pool.imap(square, range(4)), total=4, desc="Square")), *sys.argv[1:])
    sys.exit(int(sys.argv[1]))
"""


@pytest.mark.parametrize(("code", "end"), [("0", "jobCompleted"), ("3", "jobFailed")])
def test_a_program_is_a_job_with_its_bars_as_stages_and_its_records_as_lines(
    code: str, end: str, tmp_path: Path
) -> None:
    service = Service()
    (tmp_path / "nightly.py").write_text(PROGRAM)
    with serving(service) as server:
        ran = run(
            server.url, "-W", "ignore", "-m", "jobtrack_client", str(tmp_path / "nightly.py"), code, "--name", "x"
        )
    assert (ran.returncode, ran.stdout) == (int(code), f"14 {code} --name x\n")
    assert "INFO:program:row 2" in ran.stderr
    assert "Load: 100%" in ran.stderr
    assert (service.jobs[0]["jobName"], service.jobs[0]["jobType"]) == ("nightly", "nightly")
    assert sorted(service.messages()) == [*(f"row {n}" for n in range(3)), *(f"squaring {n}" for n in range(4))]
    ended = [event["data"] for event in service.events if event["type"] == "stageCompleted"]
    assert ended == [
        {"stageName": "Load", "recordsProcessed": 3},
        {"stageName": "Square", "recordsProcessed": 4},
    ]
    assert (service.types()[0], service.types()[-1]) == ("jobStarted", end)


def test_a_program_that_fails_shows_its_traceback_and_fails_its_job(tmp_path: Path) -> None:
    service = Service()
    (tmp_path / "nightly.py").write_text("raise ValueError('row 7')")
    with serving(service) as server:
        ran = run(server.url, "-m", "jobtrack_client", "--name", "Nightly", "--type", "n", str(tmp_path / "nightly.py"))
    assert ran.returncode == 1
    assert ran.stderr.endswith("ValueError: row 7\n")
    assert (service.jobs[0]["jobName"], service.jobs[0]["jobType"]) == ("Nightly", "n")
    assert service.events[-1] == {
        **{"type": "jobFailed", "time": service.events[-1]["time"]},
        "data": {"error": {"message": "row 7", "type": "ValueError"}},
    }


def test_a_module_is_run_as_python_does(tmp_path: Path) -> None:
    service = Service()
    with serving(service) as server:
        ran = run(server.url, "-m", "jobtrack_client", "-m", "json.tool", "--help")
    assert ran.returncode == 0
    assert "usage:" in ran.stdout
    assert service.jobs[0]["jobName"] == "json.tool"
    assert service.types() == ["jobStarted", "jobCompleted"]


def test_what_is_missing_is_told_in_one_line() -> None:
    ran = run("", "-m", "jobtrack_client", sys.executable)
    assert (ran.returncode, ran.stderr) == (
        1,
        "jobtrack_client: base_url is missing: pass it to Client, set JOBTRACK_URL, or choose a profile\n",
    )
