"""Faults other than kills, under load: acknowledged = readable = delivered."""

import shutil
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import psutil
import pytest
from standardwebhooks import Webhook

from tests.e2e.running import START_SECONDS, Service, command, environment
from tests.prove.conftest import Tell
from tests.prove.proof import Proof, kill, proving
from tests.prove.scale import repeats

EVENTS = 200
"""Acknowledged between two faults."""
HOURS = (3, 6, 0, 5)
"""By how much the clock is ahead, one after the other. A subscription lasts for 8 hours."""


def test_on_a_full_disk_it_acknowledges_only_what_it_stores(home: Path, tmp_path: Path, tell: Tell) -> None:
    """The limit of a file's size replaces that of the disk: a write beyond it fails, in any file."""
    with proving(home, "sqlite", tmp_path / "data") as proof, proof.serving() as service:
        for _ in range(repeats(20)):
            proof.load.wait(EVENTS)
            refused = proof.load.refusals[503]
            _limit_files(service, max(_sizes(proof.data)))
            _await_refusals(proof, refused + 10)
            _limit_files(service, psutil.RLIM_INFINITY)
        proof.load.wait(EVENTS)
        figures = proof.conclude(service)
    tell(f"disk full {repeats(20)} times, {proof.load.refusals[503]} requests refused with 503: {figures}")


def _sizes(folder: Path) -> list[int]:
    return [path.stat().st_size for path in folder.rglob("*") if path.is_file()]


def _limit_files(service: Service, size: int) -> None:
    psutil.Process(service.process.pid).rlimit(psutil.RLIMIT_FSIZE, (size, psutil.RLIM_INFINITY))


def _await_refusals(proof: Proof, count: int) -> None:
    ends = time.monotonic() + START_SECONDS
    while proof.load.refusals[503] < count:
        assert time.monotonic() < ends, "the disk was never full"
        time.sleep(0.02)


def test_stopped_for_a_while_it_goes_on(home: Path, tmp_path: Path, tell: Tell) -> None:
    with proving(home, "sqlite", tmp_path / "data") as proof, proof.serving() as service:
        for _ in range(repeats(20)):
            proof.load.wait(EVENTS)
            service.process.send_signal(signal.SIGSTOP)
            time.sleep(1)
            service.process.send_signal(signal.SIGCONT)
        figures = proof.conclude(service)
    tell(f"stopped {repeats(20)} times for a second: {figures}")


def test_a_second_service_refuses_the_folder_and_leaves_the_first_unharmed(
    home: Path, tmp_path: Path, tell: Tell
) -> None:
    with proving(home, "sqlite", tmp_path / "data") as proof, proof.serving() as service:
        for _ in range(repeats(20)):
            proof.load.wait(EVENTS)
            arguments = ("serve", "--port", "0", "--engine", "sqlite", "--data", str(proof.data))
            second = subprocess.run(
                command(*arguments), env=environment(home), capture_output=True, text=True, check=False
            )
            assert second.returncode == 1
            assert "in use" in second.stderr
        figures = proof.conclude(service)
    tell(f"a second service {repeats(20)} times: {figures}")


def test_a_clock_that_jumps_by_hours_loses_nothing(
    home: Path, tmp_path: Path, tell: Tell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The receiver's own clock does not jump. So it checks the signature, but not its age."""
    monkeypatch.setattr(Webhook, "_Webhook__verify_timestamp", lambda webhook, seconds: _moment(seconds))
    ahead = tmp_path / "ahead"
    ahead.write_text("0")
    program = (sys.executable, "-m", "tests.prove.jumping", str(ahead))
    with proving(home, "sqlite", tmp_path / "data") as proof, proof.serving(program) as service:
        for hours in HOURS:
            proof.load.wait(EVENTS)
            _replace(ahead, str(hours * 3600))
        proof.load.wait(EVENTS)
        figures = proof.conclude(service)
    tell(f"the clock {', '.join(map(str, HOURS))} hours ahead: {figures}")


def _moment(seconds: str) -> datetime:
    return datetime.fromtimestamp(float(seconds), UTC)


def _replace(path: Path, text: str) -> None:
    draft = path.with_suffix(".draft")
    draft.write_text(text)
    draft.replace(path)


def test_a_copy_of_the_stopped_folder_has_everything(home: Path, tmp_path: Path, tell: Tell) -> None:
    """A power cut, as far as the kernel's cache is on the disk: tests/engine/test_power_cut.py loses that too."""
    with proving(home, "sqlite", tmp_path / "0") as proof:
        for number in range(repeats(20)):
            with proof.serving() as service:
                proof.load.wait(EVENTS)
                service.process.send_signal(signal.SIGSTOP)
                copy = tmp_path / str(number + 1)
                shutil.copytree(proof.data, copy, ignore=shutil.ignore_patterns("*-shm"))
                proof.load.use(None)
                kill(service.process)
            proof.data = copy
        with proof.serving() as service:
            figures = proof.conclude(service)
    tell(f"power cut {repeats(20)} times: {figures}")
