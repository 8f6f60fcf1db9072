"""The command line in terminals and pipes of other encodings, and with a slow service."""

import json
import subprocess
import time

import httpx
import pytest

from tests.faults.serving import environment, serving
from tests.faults.test_working_directory import SCRIPT
from tests.unit.client.growing import Growing, Step
from tests.unit.client.service import GUID
from tests.unit.client.worst import Worst

NAME = "漢字 é \U0001f600 ─│ \ud800 \x1b[31m"
C_LOCALE = {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
"""A C locale without Python's automatic switch to UTF-8 (PEP 538, PEP 540)."""
ENVIRONMENTS = {
    "C": C_LOCALE,
    "LANG=C": {"LANG": "C", "LC_ALL": ""},
    "ascii": {"PYTHONIOENCODING": "ascii"},
    "ascii:strict": {"PYTHONIOENCODING": "ascii:strict"},
    "cp932": {"PYTHONIOENCODING": "cp932"},
    "cp1252": {"PYTHONIOENCODING": "cp1252:strict"},
}


def run(url: str, *arguments: str, **more: str) -> subprocess.CompletedProcess[bytes]:
    environ = {**environment(url), "PYTHONPATH": "", **more}
    return subprocess.run([*SCRIPT, *arguments], env=environ, capture_output=True, timeout=60, check=False)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        *((name, ["status", GUID]) for name in ENVIRONMENTS),
        *(("C", [command, *more]) for command, *more in (["metrics", GUID], ["jobs", "--json"], ["--help"])),
        ("cp932", ["watch", GUID]),
    ],
)
def test_what_an_encoding_lacks_is_replaced(name: str, arguments: list[str]) -> None:
    with serving(Worst(NAME)) as server:
        done = run(server.url, *arguments, **ENVIRONMENTS[name])
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"\x1b" not in done.stdout


def test_an_error_is_one_line_in_any_encoding() -> None:
    with serving(Worst(NAME)) as server:
        done = run(server.url, "status", "漢字", **ENVIRONMENTS["C"])
    assert (done.returncode, done.stdout, done.stderr.count(b"\n")) == (1, b"", 1)


class Slow:
    """Responds late, so that its responses are outdated: the job changes meanwhile."""

    def __init__(self, job: Growing, seconds: float) -> None:
        self._job, self._seconds = job, seconds

    def __call__(self, request: httpx.Request) -> httpx.Response:
        response = self._job(request)
        time.sleep(self._seconds)
        return response


def test_a_slow_service_repeats_no_line_and_skips_none() -> None:
    steps: list[Step] = [("write", 5, 0), ("write", 5, 400), ("fail", 0, 0), ("write", 30, 0), ("write", 5, 0)]
    job = Growing(steps, page=4)
    with serving(Slow(job, 0.1)) as server:
        done = run(server.url, "logs", GUID, "-f", "-l", "DEBUG", "--json")
    assert done.returncode == 0, done.stderr
    found = [json.loads(line)["sequence"] for line in done.stdout.splitlines()]
    assert sorted(found) == [line.sequence for line in job.lines]
