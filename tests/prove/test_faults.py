"""Faults other than kills, under load: acknowledged = readable = delivered."""

import shutil
import signal
import subprocess
import time
from pathlib import Path

import psutil

from tests.e2e.running import START_SECONDS, Service, command, environment
from tests.prove.conftest import Tell
from tests.prove.proof import Proof, kill_all, proving
from tests.prove.scale import repeats

EVENTS = 200
"""Acknowledged between two faults."""


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
                kill_all(service)
            proof.data = copy
        with proof.serving() as service:
            figures = proof.conclude(service)
    tell(f"power cut {repeats(20)} times: {figures}")
