"""Commands run by `jobtrack run`: real commands, signals, lost processes, and outages of the service."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from jobtrack_client._run_command.command import Sampler, run
from tests.faults.serving import environment, serving
from tests.unit.client.service import QUICK, Service
from tests.unit.client.service import client as reporting

JOBTRACK = Path(sys.executable).parent / "jobtrack"
PATIENCE_SECONDS = 60


def start(
    url: str, *command: str, options: tuple[str, ...] = (), signals: str = "--default-signal", group: bool = False
) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        # Tests in the background ignore signals, and child processes would inherit that.
        ["env", signals, str(JOBTRACK), "run", "--name", "mine", *options, "--", *command],
        env=environment(url),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        process_group=0 if group else None,
    )


def python(program: str) -> tuple[str, ...]:
    return sys.executable, "-W", "ignore", "-c", program


def test_its_output_goes_on_untouched_and_is_the_jobs_log() -> None:
    service = Service()
    written = bytes(range(256)) * 4 + b"\nno end"
    with serving(service) as server:
        program = f"import os; os.write(1, {written!r}); os.write(2, b'WARNING: careful\\n'); print('x', flush=True)"
        process = start(server.url, *python(program), options=("--type", "t", "--tag", "team=data"))
        out, err = process.communicate(timeout=PATIENCE_SECONDS)
    assert (process.returncode, out, err) == (0, written + b"x\n", b"WARNING: careful\n")
    (job,) = service.jobs
    assert (job["jobName"], job["jobType"], job["metadata"]) == ("mine", "t", {"team": "data"})
    told = [event["data"] for event in service.events if event["type"] == "log"]
    assert {"level": "WARN", "message": "WARNING: careful", "component": "stderr"} in told
    assert told[-1 if told[-1]["component"] == "stdout" else -2]["message"].endswith("no endx")
    assert (service.types()[0], service.types()[-1]) == ("jobStarted", "jobCompleted")


@pytest.mark.parametrize(
    ("program", "code", "message"),
    [
        ("import sys; print('boom', file=sys.stderr); sys.exit(3)", 3, "exit code 3: boom"),
        ("import os; os.kill(os.getpid(), 9)", 137, "killed by SIGKILL"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGRTMIN + 1)", 163, "killed by signal 35"),
    ],
)
def test_its_exit_code_is_the_result_and_our_own(program: str, code: int, message: str) -> None:
    service = Service()
    with serving(service) as server:
        process = start(server.url, *python(program))
        process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == code
    assert service.events[-1]["data"]["error"] == {"message": message, "exitCode": code}


def test_the_exception_that_ended_it_is_the_error() -> None:
    service = Service()
    with serving(service) as server:
        process = start(server.url, *python("def load():\n    raise ValueError('row 7')\nload()"))
        process.communicate(timeout=PATIENCE_SECONDS)
    assert service.events[-1]["data"]["error"] == {
        **{"message": "exit code 1: ValueError: row 7", "type": "ValueError", "exitCode": 1}
    }


@pytest.mark.parametrize(("command", "code"), [("no-such-command", 127), ("/", 126)])
def test_a_command_that_is_not_there_is_one_line_and_a_failed_job(command: str, code: int) -> None:
    service = Service()
    with serving(service) as server:
        process = start(server.url, command)
        err = process.communicate(timeout=PATIENCE_SECONDS)[1]
    assert (process.returncode, err.count(b"\n")) == (code, 1)
    assert err.startswith(f"jobtrack: {command} cannot be run: ".encode())
    assert service.types() == ["jobStarted", "jobFailed"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_signals_are_passed_on_and_a_command_that_ends_by_one_is_cancelled(number: signal.Signals) -> None:
    service = Service()
    with serving(service) as server:
        # SIGINT becomes Python's exception; another signal's default action ends the process.
        process = start(server.url, *python("import time; print('here', flush=True); time.sleep(60)"))
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(number)
        process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 128 + number
    reason = f"received {number.name}; killed by {number.name}"
    assert service.events[-1]["type"] == "jobCancelled"
    assert service.events[-1]["data"] == {"metrics": {"reason": reason}}
    assert service.messages()[-1] == f"cancelled: {reason}"


@pytest.mark.parametrize(("code", "end"), [(0, "jobCompleted"), (3, "jobFailed"), (129, "jobCancelled")])
def test_a_hangup_that_is_a_reload_changes_no_result(code: int, end: str) -> None:
    service = Service()
    with serving(service) as server:
        process = start(server.url, "sh", "-c", f"trap 'exit {code}' HUP; echo ready; while :; do sleep 0.1; done")
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(signal.SIGHUP)
        process.communicate(timeout=PATIENCE_SECONDS)
    assert (process.returncode, service.types()[-1]) == (code, end)


@pytest.mark.parametrize("code", [0, 3])
def test_a_command_that_stops_when_it_is_asked_to_is_cancelled_with_its_own_code(code: int) -> None:
    service = Service()
    with serving(service) as server:
        process = start(server.url, "sh", "-c", f"trap 'exit {code}' TERM; echo ready; while :; do sleep 0.1; done")
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == code
    assert service.events[-1]["data"] == {"metrics": {"reason": f"received SIGTERM; exit code {code}"}}


def test_a_signal_to_the_whole_group_ends_both_and_cancels_the_job() -> None:
    service = Service()
    with serving(service) as server:
        process = start(server.url, "sh", "-c", "echo ready; while :; do sleep 0.1; done", group=True)
        assert process.stdout is not None
        process.stdout.readline()
        os.killpg(process.pid, signal.SIGTERM)
        process.communicate(timeout=PATIENCE_SECONDS)
    assert (process.returncode, service.types()[-1]) == (128 + signal.SIGTERM, "jobCancelled")


def test_when_it_is_killed_its_command_ends_with_what_it_writes_next() -> None:
    """No process is left to read the output or to report the end: the service marks the job as stalled."""
    service = Service()
    with serving(service) as server:
        process = start(server.url, "sh", "-c", "echo $$; while :; do echo line; sleep 0.1; done")
        assert process.stdout is not None
        command = psutil.Process(int(process.stdout.readline()))
        process.kill()
        process.communicate(timeout=PATIENCE_SECONDS)
        command.wait(PATIENCE_SECONDS)
    assert not command.is_running()


def test_a_command_that_lives_on_after_a_signal_goes_on() -> None:
    service = Service()
    program = """
import signal, time
got = []
signal.signal(signal.SIGUSR1, lambda *_: got.append(print("got", flush=True)))
print("ready", flush=True)
while not got:
    time.sleep(0.05)
"""
    with serving(service) as server:
        process = start(server.url, *python(program))
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(signal.SIGUSR1)
        assert process.communicate(timeout=PATIENCE_SECONDS)[0] == b"got\n"
    assert (process.returncode, service.types()[-1]) == (0, "jobCompleted")


def test_a_signal_that_is_ignored_as_under_nohup_asks_nothing_to_end() -> None:
    service = Service()
    program = "import sys, time; print('here', flush=True); time.sleep(1); sys.exit(3)"
    with serving(service) as server:
        process = start(server.url, *python(program), signals="--ignore-signal=HUP")
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(signal.SIGHUP)
        process.communicate(timeout=PATIENCE_SECONDS)
    assert (process.returncode, service.types()[-1]) == (3, "jobFailed")


def test_a_command_that_cannot_be_sampled_runs_to_its_end() -> None:
    """As a process that a signal ended, and that the signal's handler has already waited for."""
    service = Service()

    def gone(pid: int) -> Sampler:
        raise psutil.NoSuchProcess(pid)

    job = reporting(service).job("mine", job_type="t", options=QUICK)
    ending = run(job, ["sh", "-c", "exit 3"], gone)
    assert ending.code == 3
    assert service.events[-1]["data"]["error"] == {"message": "exit code 3", "exitCode": 3}


def test_what_it_and_its_children_use_is_sampled() -> None:
    service = Service()
    burn = "import time; end = time.monotonic() + 2.2; data = bytearray(50_000_000)\nwhile time.monotonic() < end: pass"
    with serving(service) as server:
        program = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {burn!r}])"
        process = start(server.url, *python(program), options=("--every", "0.5"))
        process.communicate(timeout=PATIENCE_SECONDS)
    samples = [event["data"] for event in service.events if event["type"] == "metricSample"]
    assert len(samples) >= 2
    assert max(sample["memoryBytes"] for sample in samples) > 50_000_000
    assert max(sample["cpuUsage"] for sample in samples) > 10
    reads = [sample["diskReadBytes"] for sample in samples]
    assert reads == sorted(reads)


def test_a_python_program_reports_to_the_same_job() -> None:
    service = Service()
    program = """
from jobtrack_client import Client
with Client() as client, client.attach() as job, job.stage("Rows", total=2) as stage:
    stage.advance(2)
"""
    with serving(service) as server:
        process = start(server.url, *python(program))
        process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 0
    assert [each for each in service.types() if "stage" in each] == ["stageStarted", "stageCompleted"]
    assert len(service.jobs) == 1


def test_loops_jobs_and_programs_belong_to_its_job(tmp_path: Path) -> None:
    service = Service()
    program = """
import logging, sys
from jobtrack_client import Client, track
logging.basicConfig()
list(track("ab", "Loop"))
with Client().job("Mine", job_type="mine") as job, job.stage("Load"):
    print("printed")
    logging.warning("logged")
"""
    (tmp_path / "program.py").write_text(program)
    path = str(tmp_path / "program.py")
    with serving(service) as server:
        for command in ((sys.executable, path), (sys.executable, "-m", "jobtrack_client", path)):
            process = start(server.url, *command)
            process.communicate(timeout=PATIENCE_SECONDS)
            assert process.returncode == 0
    assert len(service.jobs) == 2
    assert sorted(service.messages()) == [*["WARNING:root:logged"] * 2, *["printed"] * 2]
    assert [kind for kind in service.types() if "Completed" in kind] == [
        "stageCompleted",
        "stageCompleted",
        "jobCompleted",
    ] * 2


def test_a_run_within_a_run_is_a_job_of_its_own() -> None:
    service = Service()
    with serving(service) as server:
        process = start(server.url, str(JOBTRACK), "run", "--name", "inner", "--", "sh", "-c", "exit 3")
        process.communicate(timeout=PATIENCE_SECONDS)
    assert (process.returncode, [job["jobName"] for job in service.jobs]) == (3, ["mine", "inner"])
    assert service.types().count("jobFailed") == 2


def test_a_process_that_is_left_behind_does_not_hold_the_end_up() -> None:
    service = Service()
    program = """
import subprocess, sys
print(subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]).pid)
"""
    with serving(service) as server:
        process = start(server.url, *python(program))
        assert process.stdout is not None
        left = int(process.stdout.readline())
        process.wait(PATIENCE_SECONDS)
        assert service.types()[-1] == "jobCompleted"
    psutil.Process(left).kill()
    process.stdout.close()
    assert process.stderr is not None
    process.stderr.close()


def test_a_service_that_is_away_neither_holds_it_up_nor_changes_its_result() -> None:
    """Nothing listens there; the number of unreported events is printed."""
    process = start("http://127.0.0.1:9", *python("import sys; print('ran'); sys.exit(5)"), options=("--wait", "0.5"))
    out, err = process.communicate(timeout=PATIENCE_SECONDS)
    assert (process.returncode, out) == (5, b"ran\n")
    assert b"127.0.0.1:9 cannot be reached" in err


def test_a_bar_is_told_while_it_runs() -> None:
    service = Service()
    program = """
import sys, time
print("begun", flush=True)
for number in range(7):
    print(f"\\r{number} of 6", end="", flush=True)
    time.sleep(0.05)
time.sleep(60)
"""
    with serving(service) as server:
        process = start(server.url, *python(program))
        deadline = time.monotonic() + PATIENCE_SECONDS
        while "6 of 6" not in service.messages() and time.monotonic() < deadline:
            time.sleep(0.05)
        assert process.poll() is None
        told = service.messages()
        process.terminate()
        process.communicate(timeout=PATIENCE_SECONDS)
    assert told == ["begun", "6 of 6"]
    assert service.messages() == [*told, "cancelled: received SIGTERM; killed by SIGTERM"]
