"""The client without Unix features: fork, fcntl, SIGHUP, socket pairs. See tests/faults/windows.py."""

import errno
import os
import signal
import sys
from pathlib import Path
from subprocess import CompletedProcess, Popen, run
from typing import cast

import pytest
import typer

from jobtrack_client import profiles
from jobtrack_client._api.token_command import TokenCommand
from jobtrack_client._run_command.signals import Signals
from jobtrack_client.commands import errors
from tests.faults.serving import environment, serving
from tests.unit.client.service import Service

PRETEND = "from tests.faults.windows import pretend\npretend()\n"
WORKER = """
import multiprocessing
from jobtrack_client import Client, current_job

def work(number):
    current_job().log("INFO", f"part {number}")

if __name__ == "__main__":
    with Client() as client, client.job("n", job_type="t", stages=["Load"]) as job:
        with job.stage("Load", total=3) as stage:
            stage.advance(3)
        process = multiprocessing.get_context("spawn").Process(target=work, args=(7,))
        process.start()
        process.join()
        job.log("INFO", "joined")
"""
COMMAND = """
import sys
from jobtrack_client import cli
sys.argv = ["jobtrack", *sys.argv[1:]]
cli.main()
"""


class Process:
    """Records signals."""

    def __init__(self) -> None:
        self.signals: list[int] = []

    def send_signal(self, number: int) -> None:
        self.signals.append(number)


def execute(folder: Path, program: str, url: str, *arguments: str) -> CompletedProcess[str]:
    (folder / "program.py").write_text(PRETEND + program)
    command = [sys.executable, "-W", "error", "program.py", *arguments]
    return run(command, cwd=folder, env=environment(url), capture_output=True, text=True, timeout=60, check=False)


def test_the_program_finds_nothing_that_windows_lacks(tmp_path: Path) -> None:
    program = "import os, signal, sys\nprint(sys.platform, hasattr(os, 'fork'), hasattr(signal, 'SIGHUP'))\n"
    ended = execute(tmp_path, f"{program}import fcntl", "http://127.0.0.1:9")
    assert (ended.stdout, ended.returncode) == ("win32 False False\n", 1)
    assert "ModuleNotFoundError" in ended.stderr


def test_a_job_and_a_process_that_it_spawns_report(tmp_path: Path) -> None:
    service = Service()
    with serving(service) as server:
        ended = execute(tmp_path, WORKER, server.url)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")
    assert service.messages() == ["part 7", "joined"]
    assert (service.types()[0], service.types()[-1]) == ("jobStarted", "jobCompleted")
    assert {"stageStarted", "stageCompleted"} <= {*service.types()}


@pytest.mark.parametrize("code", [0, 3])
def test_a_command_is_run_as_a_job(tmp_path: Path, code: int) -> None:
    service = Service()
    child = (sys.executable, "-c", f"print('hello'); raise SystemExit({code})")
    with serving(service) as server:
        ended = execute(tmp_path, COMMAND, server.url, "run", "--", *child)
    assert (ended.returncode, ended.stdout, ended.stderr) == (code, "hello\n", "")
    assert service.messages()[0] == "hello"
    assert service.types()[-1] == ("jobFailed" if code else "jobCompleted")


def test_ctrl_c_reaches_a_command_by_the_console(monkeypatch: pytest.MonkeyPatch) -> None:
    process = Process()
    passed = Signals(cast("Popen[bytes]", process))
    monkeypatch.setattr(sys, "platform", "win32")
    passed(signal.SIGINT, None)
    passed(signal.SIGTERM, None)
    assert (process.signals, passed.that_ended(0)) == ([signal.SIGTERM], "SIGTERM")


def test_a_closed_pipe_ends_a_command(monkeypatch: pytest.MonkeyPatch) -> None:
    def write() -> None:
        raise OSError(errno.EINVAL, "Invalid argument")

    with pytest.raises(OSError, match="Invalid argument"):
        errors.report_errors(write)()
    with monkeypatch.context() as on_windows:
        on_windows.setattr(os, "dup2", lambda old, new: os.close(old))
        on_windows.setattr(sys, "platform", "win32")
        with pytest.raises(typer.Exit) as ended:
            errors.report_errors(write)()
    assert ended.value.exit_code == errors.PIPE_CLOSED


def test_help_is_printed(tmp_path: Path) -> None:
    ended = execute(tmp_path, COMMAND, "http://127.0.0.1:9", "--help")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "watch" in ended.stdout


def test_the_local_service_is_not_for_windows(tmp_path: Path) -> None:
    ended = execute(tmp_path, COMMAND, "http://127.0.0.1:9", "serve")
    assert (ended.returncode, ended.stderr) == (1, "jobtrack: serve runs on Linux and macOS only\n")


def test_a_service_of_another_system_is_not_taken_for_a_running_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setitem(sys.modules, "fcntl", None)
    (tmp_path / "1.toml").touch()
    assert not profiles.alive(tmp_path / "1.toml")


def test_backslashes_separate_the_folders_of_a_token_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    command = TokenCommand(r'"C:\Program Files\login.exe" --key C:\keys\mine')
    assert command._command == [r"C:\Program Files\login.exe", "--key", r"C:\keys\mine"]
