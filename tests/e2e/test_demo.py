"""`jobtrack demo` as a user runs it: a real job from its file to its webhooks."""

import json
import shlex
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from xml.etree import ElementTree as ET

import psutil
import pytest

from jobtrack_demo.messages import NEXT_STEPS
from tests.e2e.running import command, environment
from tests.eventlogs import write_orders

pytestmark = pytest.mark.not_deployed("is about jobtrack demo, which brings its own service")
one_engine = pytest.mark.one_engine("sqlite", "how the demo ends is not the engine's doing")
FINISH_SECONDS = 240
ORDERS = ("--case", "case_id", "--activity", "activity", "--time", "timestamp")
GONE_SECONDS = 60


@contextmanager
def demo(home: Path, engine: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Run a demo; it is ended, and leaves no process."""
    process = subprocess.Popen(
        command("demo", "--engine", engine, *arguments),
        env=environment(home),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def finished(home: Path, engine: str, *arguments: str) -> tuple[int, str]:
    """Return the exit code and the output of `demo --once --fast`."""
    with demo(home, engine, "--once", "--fast", *arguments) as process:
        said, _ = process.communicate(timeout=FINISH_SECONDS)
        return process.returncode, said


def read_until(process: subprocess.Popen[str], text: str) -> None:
    """Wait for a line of the demo with this text."""
    assert process.stdout is not None
    for line in process.stdout:
        if text in line:
            return
    raise AssertionError(f"the demo ended without saying {text!r}")


def children(process: subprocess.Popen[str], module: str = "") -> list[psutil.Process]:
    """Return the demo's processes of a module."""
    return [each for each in psutil.Process(process.pid).children(recursive=True) if module in " ".join(each.cmdline())]


def gone(processes: Sequence[psutil.Process]) -> bool:
    """Whether all of them end."""
    return not psutil.wait_procs(processes, timeout=GONE_SECONDS)[1]


def test_mines_the_flights(home: Path, engine: str, tmp_path: Path) -> None:
    code, said = finished(home, engine, "--out", str(tmp_path))
    assert code == 0, said
    assert "\nOK: Completed; " in said
    report = json.loads((tmp_path / "report.json").read_text("utf-8"))
    assert report["source"]["records"] == 336_776
    assert report["source"]["excluded"]["withoutCase"] == 2_512
    assert (report["cases"], len(report["activities"])) == (4_043, 223)
    counts = json.loads((tmp_path / "counts.json").read_text("utf-8"))
    assert counts["stages"]["Data Loading"] == 336_776
    assert ET.parse(tmp_path / "map.svg").getroot().tag.endswith("svg")  # noqa: S314 - made here


@one_engine
def test_mines_another_log_with_offsets_and_fractions(home: Path, engine: str, tmp_path: Path) -> None:
    write_orders(tmp_path / "orders.csv", rows=65_000)
    out = tmp_path / "out"
    code, said = finished(home, engine, "--input", str(tmp_path / "orders.csv"), *ORDERS, "--out", str(out))
    assert code == 0, said
    report = json.loads((out / "report.json").read_text("utf-8"))
    assert report["source"]["records"] == 65_000
    assert [edge["from"] for edge in report["bottlenecks"]][:2] == ["Invoice sent", "Invoice sent"]


@one_engine
def test_a_log_whose_first_line_is_garbage_fails_the_job(home: Path, engine: str, tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("%%% junk %%%\n1,2,3\n")
    code, said = finished(home, engine, "--input", str(tmp_path / "log.csv"), *ORDERS)
    assert code == 1
    message = "log.csv has no column 'case_id'; its first line has: %%% junk %%%"
    assert f"ERROR ProcessMiner.DataLoader: {message}" in said
    assert f"\nNOT OK: the job failed: {message}\n" in said
    assert "Process mining of log.csv: Failed" in said
    assert "Traceback" not in said


@one_engine
@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_everything(
    home: Path, engine: str, sign: signal.Signals, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    with demo(home, engine) as process:
        read_until(process, "DataLoader: Reading")
        started = children(process)
        assert children(process, "jobtrack_demo.miner")
        process.send_signal(sign)
        said, _ = process.communicate(timeout=GONE_SECONDS)
        assert process.returncode == 0, said
        assert gone(started)
    assert [*(tmp_path / "temporary").iterdir()] == []


@one_engine
def test_nothing_outlives_a_killed_demo(home: Path, engine: str) -> None:
    with demo(home, engine) as process:
        read_until(process, "DataLoader: Reading")
        started = children(process)
        process.kill()
        process.wait(GONE_SECONDS)
        assert gone(started)


@one_engine
@pytest.mark.parametrize(
    ("module", "told"),
    [
        ("jobtrack_demo.miner", "the worker ended with code -9 and left no counts"),
        ("serve", "the service ended with code -9"),
    ],
)
def test_tells_which_process_was_killed(home: Path, engine: str, module: str, told: str) -> None:
    with demo(home, engine, "--once") as process:
        read_until(process, "DataLoader: Reading")
        started = children(process)
        children(process, module)[0].kill()
        said, _ = process.communicate(timeout=FINISH_SECONDS)
        assert process.returncode == 1
        assert told in said
        assert "Traceback" not in said
        assert gone(started)


@one_engine
def test_goes_on_serving_until_it_is_interrupted(home: Path, engine: str, tmp_path: Path) -> None:
    write_orders(tmp_path / "orders.csv", rows=500)
    with demo(home, engine, "--input", str(tmp_path / "orders.csv"), *ORDERS, "--fast") as process:
        read_until(process, "Serving http://127.0.0.1:")
        assert process.poll() is None
        for words, _ in NEXT_STEPS:
            subprocess.run(command(*shlex.split(words)), env=environment(home), check=True, capture_output=True)
        process.send_signal(signal.SIGINT)
        assert process.wait(GONE_SECONDS) == 0


@one_engine
@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--input", "log.csv"), "needs --case, --activity and --time"),
        (("--engine", "oracle"), "engine"),
    ],
)
def test_what_cannot_be_is_one_clear_line(home: Path, engine: str, arguments: Sequence[str], told: str) -> None:
    code, said = finished(home, engine, *arguments)
    assert code == 1
    (line,) = said.splitlines()
    assert line.startswith("jobtrack: ")
    assert told in line
