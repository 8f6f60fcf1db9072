"""However a worker's process ends, its job's status is right: real processes, signals and interpreters."""

import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import httpx
import pytest

from tests.faults.serving import ROOT, environment, run_worker, serving
from tests.unit.client.service import Service

PATIENCE_SECONDS = 60
WAIT = "print('ready', flush=True); time.sleep(60)"
PROGRAMS = {
    "job": f"""
        with Client() as client, client.job("n", job_type="t"):
            {WAIT}
    """,
    "track": f"""
        for row in track(range(3), "n"):
            {WAIT}
    """,
    "started": f"""
        job = Client().job("n", job_type="t").start()
        {WAIT}
    """,
    "thread": f"""
        def work():
            with Client() as client, client.job("other", job_type="t"):
                time.sleep(60)
        with Client() as client, client.job("n", job_type="t"):
            Thread(target=work, daemon=True).start()
            time.sleep(0.5)
            {WAIT}
    """,
    "async": f"""
        async def rows():
            for number in range(3):
                yield number
        async def work():
            async for row in track(rows(), "n"):
                {WAIT}
        asyncio.run(work())
    """,
    "-m": WAIT,
}
HEAD = """
import asyncio, logging, os, signal, sys, time
from threading import Thread
from jobtrack_client import Client, ReporterOptions, track
"""


def start(url: str, program: str, folder: Path, signals: str = "--default-signal") -> "subprocess.Popen[str]":
    """Start a program, or one of PROGRAMS."""
    (folder / "program.py").write_text(HEAD + textwrap.dedent(PROGRAMS.get(program, program)))
    tracked = ["-m", "jobtrack_client"] if program == "-m" else []
    return subprocess.Popen(
        # Tests in the background ignore signals, and child processes would inherit that.
        ["env", signals, sys.executable, "-W", "ignore", *tracked, "program.py"],
        env=environment(url) | {"PYTHONPATH": f"{ROOT}"},
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def signalled(process: "subprocess.Popen[str]", *numbers: signal.Signals) -> int:
    """Send signals once the process is ready, and return its status."""
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    for number in numbers:
        process.send_signal(number)
    process.communicate(timeout=PATIENCE_SECONDS)
    return process.returncode


def ends(service: Service) -> list[str]:
    return [kind for kind in service.types() if kind in ("jobCompleted", "jobFailed", "jobCancelled")]


def reasons(service: Service) -> list[str]:
    return [event["data"]["metrics"]["reason"] for event in service.events if event["type"] == "jobCancelled"]


@pytest.mark.parametrize(
    ("program", "number"),
    [
        *(("job", number) for number in (signal.SIGTERM, signal.SIGHUP)),
        *(("track", number) for number in (signal.SIGTERM, signal.SIGHUP)),
        *(("-m", number) for number in (signal.SIGTERM, signal.SIGHUP)),
        ("async", signal.SIGTERM),
    ],
)
def test_a_signal_that_ends_the_process_cancels_its_job_and_is_its_status(
    program: str, number: signal.Signals, tmp_path: Path
) -> None:
    service = Service()
    with serving(service) as server:
        status = signalled(start(server.url, program, tmp_path), number)
    assert status == -number
    assert ends(service) == ["jobCancelled"]
    assert reasons(service) == [f"received {number.name}"]
    assert service.messages()[-1] == f"cancelled: received {number.name}"


@pytest.mark.parametrize("program", ["job", "track", "-m", "started"])
def test_ctrl_c_cancels_the_job(program: str, tmp_path: Path) -> None:
    service = Service()
    with serving(service) as server:
        status = signalled(start(server.url, program, tmp_path), signal.SIGINT)
    assert status == -signal.SIGINT
    assert ends(service) == ["jobCancelled"]
    assert reasons(service) == ["interrupted (KeyboardInterrupt)"]


@pytest.mark.parametrize(
    "wait",
    [
        "threading.Lock().acquire() and lock.acquire()",
        "subprocess.run(['sleep', '60'], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)",
        "os.read(os.pipe()[0], 1)",
        "",
    ],
    ids=["lock", "child", "pipe", "threads at exit"],
)
def test_whatever_the_main_thread_waits_for(wait: str, tmp_path: Path) -> None:
    service = Service()
    program = f"""
        import subprocess, threading
        lock = threading.Lock()
        lock.acquire()
        job = Client().job("n", job_type="t").start()
        Thread(target=lambda: (time.sleep(0.3), print("ready", flush=True), time.sleep(60))).start()
        {wait}
    """
    with serving(service) as server:
        assert signalled(start(server.url, program, tmp_path), signal.SIGTERM) == -signal.SIGTERM
    assert reasons(service) == ["received SIGTERM"]


def test_the_jobs_of_other_threads_are_cancelled_too(tmp_path: Path) -> None:
    service = Service()
    with serving(service) as server:
        assert signalled(start(server.url, "thread", tmp_path), signal.SIGTERM) == -signal.SIGTERM
    assert ends(service) == ["jobCancelled", "jobCancelled"]


def test_a_signal_ends_a_process_whose_service_is_away(tmp_path: Path) -> None:
    program = f"""
        from jobtrack_client._jobs import interrupts
        interrupts.SECONDS = 0.5
        with Client() as client, client.job("n", job_type="t"):
            {WAIT}
    """
    assert signalled(start("http://127.0.0.1:9", program, tmp_path), signal.SIGTERM) == -signal.SIGTERM


def test_a_second_signal_ends_a_process_that_still_reports_the_first(tmp_path: Path) -> None:
    program = f"""
        from jobtrack_client._jobs import interrupts
        interrupts.SECONDS = 600
        with Client() as client, client.job("n", job_type="t"):
            {WAIT}
    """
    process = start("http://127.0.0.1:9", program, tmp_path)
    assert process.stdout is not None
    process.stdout.readline()
    process.send_signal(signal.SIGTERM)
    while catches(process.pid, signal.SIGTERM):
        time.sleep(0.01)
    process.send_signal(signal.SIGTERM)
    assert process.wait(PATIENCE_SECONDS) == -signal.SIGTERM
    process.communicate()


def catches(pid: int, number: signal.Signals) -> bool:
    """Whether the process has a handler for the signal."""
    status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return bool(int(status["SigCgt"], 16) & 1 << (number - 1))


def test_a_handler_of_the_program_decides(tmp_path: Path) -> None:
    service = Service()
    program = """
        stopped = []
        signal.signal(signal.SIGTERM, lambda *_: stopped.append(1))
        for row in track(range(10), "n"):
            if not row:
                print("ready", flush=True)
            while not stopped:
                time.sleep(0.05)
    """
    with serving(service) as server:
        assert signalled(start(server.url, program, tmp_path), signal.SIGTERM) == 0
    assert ends(service) == ["jobCompleted"]


def test_under_nohup_a_hangup_changes_nothing(tmp_path: Path) -> None:
    service = Service()
    program = """
        with Client() as client, client.job("n", job_type="t"):
            print("ready", flush=True)
            time.sleep(1)
    """
    with serving(service) as server:
        assert signalled(start(server.url, program, tmp_path, "--ignore-signal=HUP"), signal.SIGHUP) == 0
    assert ends(service) == ["jobCompleted"]


@pytest.mark.parametrize("delay", [0.05, 0.11])
def test_a_signal_within_a_call_of_ours_cancels_the_job_as_well(delay: float, tmp_path: Path) -> None:
    service = Service()
    program = f"""
        with Client() as client, client.job("n", job_type="t") as job, job.stage("Load") as stage:
            print("ready", flush=True)
            Thread(target=lambda: (time.sleep({delay}), os.kill(os.getpid(), signal.SIGTERM))).start()
            while True:
                stage.advance()
                job.log("DEBUG", "a line")
    """
    with serving(service) as server:
        assert signalled(start(server.url, program, tmp_path)) == -signal.SIGTERM
    assert ends(service) == ["jobCancelled"]


@pytest.mark.parametrize("begin", ["with client.job('n', job_type='t'):", "for row in track('a', 'n', client=client):"])
def test_a_forked_process_that_is_ended_leaves_the_job_of_its_parent(begin: str, tmp_path: Path) -> None:
    service = Service()
    program = f"""
        client = Client()
        {begin}
            if not (child := os.fork()):
                time.sleep(60)
                os._exit(1)
            os.kill(child, signal.SIGTERM)
            assert os.waitpid(child, 0)[1] == signal.SIGTERM
            if not (child := os.fork()):
                sys.exit(3)
            assert os.waitpid(child, 0)[1] == 3 << 8
            print("ready", flush=True)
    """
    with serving(service) as server:
        assert signalled(start(server.url, program, tmp_path)) == 0
    assert ends(service) == ["jobCompleted"]


def test_a_forked_process_that_is_ended_at_once_ends(tmp_path: Path) -> None:
    service = Service()
    program = """
        print("ready", flush=True)
        with Client() as client, client.job("n", job_type="t"):
            for number in range(100):
                if not (child := os.fork()):
                    time.sleep(20)
                    os._exit(1)
                os.kill(child, signal.SIGTERM)
                assert os.waitpid(child, 0)[1] == signal.SIGTERM
    """
    with serving(service) as server:
        assert signalled(start(server.url, program, tmp_path)) == 0
    assert ends(service) == ["jobCompleted"]


@pytest.mark.parametrize(
    ("last", "end", "data"),
    [
        ("", "jobCancelled", {"metrics": {"reason": "the program ended before the job"}}),
        ("raise ValueError('row 7')", "jobFailed", {"error": {"message": "row 7", "type": "ValueError"}}),
        ("job.complete()", "jobCompleted", None),
        (
            "import threading, time; "
            "threading.Thread(target=lambda: (time.sleep(0.5), job.log('INFO', 'late'), job.complete())).start()",
            "jobCompleted",
            None,
        ),
    ],
    ids=["nothing", "exception", "ended", "thread"],
)
def test_a_job_that_is_never_closed_ends_with_the_interpreter(last: str, end: str, data: object) -> None:
    service = Service()
    with serving(service) as server:
        run_worker(server.url, last)
    assert ends(service) == [end]
    assert service.events[-1].get("data") == data


def test_a_job_of_a_process_of_a_pool_ends_with_it(tmp_path: Path) -> None:
    service = Service()
    program = """
        from multiprocessing import get_context
        def work():
            Client().job("n", job_type="t").start()
            raise ValueError("row 7")
        process = get_context("fork").Process(target=work)
        process.start()
        process.join()
        print("ready", flush=True)
    """
    with serving(service) as server:
        assert signalled(start(server.url, program, tmp_path)) == 0
    assert service.events[-1]["data"] == {"error": {"message": "row 7", "type": "ValueError"}}


@pytest.mark.parametrize(
    ("body", "status", "end", "data"),
    [
        ("int('x')", 1, "jobFailed", {"message": "invalid literal for int() with base 10: 'x'", "type": "ValueError"}),
        ("sys.exit(3)", 3, "jobFailed", {"message": "exit code 3", "type": "SystemExit", "exitCode": 3}),
        ("exit(3)", 3, "jobFailed", {"message": "exit code 3", "type": "SystemExit", "exitCode": 3}),
        ("sys.exit()", 0, "jobCompleted", None),
        ("break", 0, "jobCancelled", None),
    ],
)
def test_a_loop_at_the_top_of_a_program_ends_as_the_program_does(
    body: str, status: int, end: str, data: object, tmp_path: Path
) -> None:
    service = Service()
    program = f"""
        for row in track(range(3), "n"):
            print("ready", flush=True)
            {body}
    """
    with serving(service) as server:
        assert signalled(start(server.url, program, tmp_path)) == status
    assert ends(service) == [end]
    assert service.events[-1].get("data", {}).get("error") == data


@pytest.mark.parametrize("seconds", [0, 0.2])
def test_a_job_whose_process_dies_at_once_has_started(seconds: float, tmp_path: Path) -> None:
    service = Service()

    def answer(request: httpx.Request) -> httpx.Response:
        time.sleep(seconds)
        return service(request)

    with serving(answer) as server:
        process = start(server.url, "Client().job('n', job_type='t').start(); os.kill(os.getpid(), 9)", tmp_path)
        process.communicate(timeout=PATIENCE_SECONDS)
        assert process.returncode == -signal.SIGKILL
    # A job that had not started would never be marked as stalled.
    assert [*service.statuses.values()] == ["Running"]


def test_a_loop_at_the_top_of_a_program_ends_when_its_exception_is_caught_there(tmp_path: Path) -> None:
    service = Service()
    program = """
        from contextlib import suppress
        for attempt in range(2):
            try:
                for row in track(range(3), "n"):
                    int(f"row {attempt}")
            except ValueError:
                pass
        with suppress(KeyError):
            for row in track(range(3), "n"):
                {}["row 2"]
        assert sys.gettrace() is None
        for row in track(range(3), "n"):
            pass
        print("ready", flush=True)
    """
    with serving(service) as server:
        assert signalled(start(server.url, program, tmp_path)) == 0
    assert len(service.jobs) == 4
    assert ends(service) == ["jobFailed", "jobFailed", "jobFailed", "jobCompleted"]
    errors = [event["data"]["error"] for event in service.events if event["type"] == "jobFailed"]
    assert [error["type"] for error in errors] == ["ValueError", "ValueError", "KeyError"]


def test_a_loop_that_is_under_way_when_the_interpreter_ends_counts_by_its_items(tmp_path: Path) -> None:
    service = Service()
    program = """
        first, second = iter(track(range(3), "first")), iter(track("a", "second"))
        next(first), next(second)
        print("ready", flush=True)
    """
    with serving(service) as server:
        assert signalled(start(server.url, program, tmp_path)) == 0
    assert sorted(ends(service)) == ["jobCancelled"]
    assert reasons(service) == ["the loop was left after 1 of 3 items"]
