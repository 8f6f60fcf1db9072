"""Ctrl-C while a program imports the client."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

IMPORT = "import os, signal, jobtrack_client"
INTERRUPT = "os.kill(os.getpid(), signal.SIGINT)"


def run(path: Path, *lines: str) -> tuple[int, str]:
    """Run a program, and return its exit code and its standard error."""
    path.write_text("\n".join(lines))
    ended = subprocess.run([sys.executable, path], capture_output=True, text=True, check=False)
    return ended.returncode, ended.stderr


def test_the_command_ends_without_a_traceback(tmp_path: Path) -> None:
    assert run(tmp_path / "jobtrack", IMPORT, INTERRUPT) == (-signal.SIGINT, "")


def test_the_command_handles_it_once_it_runs(tmp_path: Path) -> None:
    again = "jobtrack_client.own_program.raise_at_interrupt()"
    caught = f"try: {INTERRUPT}; signal.pause()"
    assert run(tmp_path / "jobtrack", IMPORT, again, caught, "except KeyboardInterrupt: os._exit(7)") == (7, "")


@pytest.mark.parametrize("name", ["program.py", "jobtrack"])
def test_a_program_of_its_own_and_an_ignored_signal_are_left_alone(name: str, tmp_path: Path) -> None:
    handler = "signal.SIG_IGN" if name == "jobtrack" else "signal.default_int_handler"
    before = f"import signal; signal.signal(signal.SIGINT, {handler})"
    assert run(tmp_path / name, before, IMPORT, f"assert signal.getsignal(signal.SIGINT) == {handler}") == (0, "")
