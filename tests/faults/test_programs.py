"""`python -m jobtrack_client`: a program without any jobtrack code, run as a job."""

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tests.faults.serving import environment, run, serving
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
    assert sorted(service.messages()) == [
        *(f"14 {code} --name x", *(f"row {n}" for n in range(3)), *(f"squaring {n}" for n in range(4)))
    ]
    ended = [event["data"] for event in service.events if event["type"] == "stageCompleted"]
    assert ended == [
        {"stageName": "Load", "recordsProcessed": 3},
        {"stageName": "Square", "recordsProcessed": 4},
    ]
    assert (service.types()[0], service.types()[-1]) == ("jobStarted", end)


def program(text: str, folder: Path) -> str:
    """Write a file with this program."""
    (folder / "nightly.py").write_text(textwrap.dedent(text))
    return str(folder / "nightly.py")


def lines(service: Service, **wanted: str) -> list[str]:
    """Return the log lines of a level or a component."""
    told = [event["data"] for event in service.events if event["type"] == "log"]
    return [line["message"] for line in told if all(line.get(name) == value for name, value in wanted.items())]


def test_a_program_that_fails_shows_its_traceback_and_fails_its_job(tmp_path: Path) -> None:
    service = Service()
    path = program("def load():\n    raise ValueError('row 7')\nload()", tmp_path)
    with serving(service) as server:
        ran = run(server.url, "-m", "jobtrack_client", "--name", "Nightly", "--type", "n", path)
        alone = run(server.url, path)
    assert (ran.returncode, ran.stderr) == (alone.returncode, alone.stderr)
    assert ran.stderr.endswith("ValueError: row 7\n")
    assert (service.jobs[0]["jobName"], service.jobs[0]["jobType"]) == ("Nightly", "n")
    assert [event["data"] for event in service.events[1:]] == [
        {"level": "ERROR", "message": "ValueError: row 7", "details": {"exception": ran.stderr.rstrip()}},
        {"error": {"message": "row 7", "type": "ValueError"}},
    ]
    assert service.types() == ["jobStarted", "log", "jobFailed"]


@pytest.mark.parametrize(
    ("text", "code", "error"),
    [
        ("def (:", 1, "SyntaxError"),
        ("import nowhere", 1, "ModuleNotFoundError"),
        ("import sys; sys.exit('no input')", 1, "SystemExit"),
        ("import sys; sys.exit(3)", 3, "SystemExit"),
        ("raise KeyboardInterrupt", -2, None),
        ("import sys; sys.excepthook = lambda *_: print('mine', file=sys.stderr); 1 / 0", 1, "ZeroDivisionError"),
    ],
)
def test_a_program_ends_as_python_ends_it(text: str, code: int, error: str | None, tmp_path: Path) -> None:
    service = Service()
    path = program(text, tmp_path)
    with serving(service) as server:
        ran = run(server.url, "-m", "jobtrack_client", path)
        alone = run(server.url, path)
    assert (ran.returncode, ran.stderr) == (code, alone.stderr)
    assert alone.returncode == code
    assert service.events[-1]["data"].get("error", {}).get("type") == error


def test_a_program_that_is_not_there_is_a_failed_job(tmp_path: Path) -> None:
    service = Service()
    with serving(service) as server:
        ran = run(server.url, "-m", "jobtrack_client", str(tmp_path / "nowhere.py"))
    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr == f"jobtrack_client: {tmp_path / 'nowhere.py'} cannot be run: No such file or directory\n"
    assert service.types() == ["jobStarted", "log", "jobFailed"]


def test_a_job_ends_with_the_interpreter_after_threads_executors_and_exit_functions(tmp_path: Path) -> None:
    service = Service()
    text = """
        import atexit, logging, sys, threading, time
        from concurrent.futures import ThreadPoolExecutor
        atexit.register(logging.getLogger("program").warning, "at exit")
        def work(name):
            time.sleep(0.3)
            print(name)
        threading.Thread(target=work, args=["thread"]).start()
        ThreadPoolExecutor().submit(work, "executor")
        print("main", end="")
    """
    with serving(service) as server:
        ran = run(server.url, "-W", "ignore", "-m", "jobtrack_client", program(text, tmp_path))
    assert ran.returncode == 0
    assert sorted(service.messages()) == ["at exit", "executor", "main", "thread"]
    assert service.messages()[2] == "at exit"
    assert service.types()[-1] == "jobCompleted"


def test_what_a_program_prints_is_its_log_once_and_is_printed_as_before(tmp_path: Path) -> None:
    service = Service()
    text = r"""
        import logging, logging.handlers, queue, sys
        from tqdm import tqdm
        print("to stdout")
        print("WARNING: to stderr", file=sys.stderr)
        sys.stdout.write("in ")
        sys.stdout.writelines(["pieces\n", "\x1b[31mred\x1b[0m\n", "10%\r100%\n"])
        logging.basicConfig(level=logging.INFO, stream=sys.stdout)
        logging.getLogger("httpx").setLevel(logging.WARNING)
        logging.info("a record")
        records = queue.Queue()
        listener = logging.handlers.QueueListener(records, logging.StreamHandler())
        listener.start()
        other = logging.getLogger("other")
        other.addHandler(logging.handlers.QueueHandler(records))
        other.propagate = False
        other.info("queued")
        listener.stop()
        for row in tqdm(range(2), desc="Load"):
            tqdm.write("above the bar")
        print("no end", end="")
    """
    with serving(service) as server:
        ran = run(server.url, "-W", "ignore", "-m", "jobtrack_client", program(text, tmp_path))
        alone = run(server.url, "-W", "ignore", program(text, tmp_path))
    assert (ran.returncode, ran.stdout) == (0, alone.stdout)
    assert sorted(lines(service, component="stdout")) == sorted(
        ["to stdout", "in pieces", "red", "100%", *["above the bar"] * 2, "no end"]
    )
    assert lines(service, component="stderr") == lines(service, level="WARN") == ["WARNING: to stderr"]
    assert lines(service, component="root") + lines(service, component="other") == ["a record", "queued"]


def test_a_process_that_a_program_forks_leaves_its_job(tmp_path: Path) -> None:
    service = Service()
    text = """
        import os, sys
        for end in (lambda: sys.exit(3), lambda: os._exit(0), lambda: 1 / 0):
            if not (child := os.fork()):
                print("in a child", flush=True)
                end()
            os.waitpid(child, 0)
    """
    with serving(service) as server:
        ran = run(server.url, "-W", "ignore", "-m", "jobtrack_client", program(text, tmp_path))
    assert ran.returncode == 0
    assert lines(service, component="stdout") == ["in a child"] * 3
    assert lines(service, level="ERROR") == ["ZeroDivisionError: division by zero"]
    assert [kind for kind in service.types() if kind.startswith("job")] == ["jobStarted", "jobCompleted"]


def test_loops_jobs_and_child_processes_of_a_program_belong_to_its_job(tmp_path: Path) -> None:
    service = Service()
    (tmp_path / "child.py").write_text("from jobtrack_client import track\nlist(track('ab', 'In a child'))\n")
    text = """
        import logging, subprocess, sys
        from jobtrack_client import Client, track
        list(track("abc", "Loop"))
        with Client() as client, client.job("Mine", job_type="mine") as job, job.stage("Load", total=1) as stage:
            stage.advance()
            print("within")
        try:
            with Client() as client, client.job("Broken", job_type="mine"):
                1 / 0
        except ZeroDivisionError:
            pass
        subprocess.run([sys.executable, "child.py"], check=True)
    """
    with serving(service) as server:
        ran = subprocess.run(
            [sys.executable, "-W", "ignore", "-m", "jobtrack_client", program(text, tmp_path)],
            env=environment(server.url),
            cwd=tmp_path,
            check=False,
        )
    assert (ran.returncode, len(service.jobs)) == (0, 1)
    ended = [event["data"]["stageName"] for event in service.events if event["type"] == "stageCompleted"]
    assert sorted(ended) == ["In a child", "Load", "Loop"]
    assert [event["data"].get("stage") for event in service.events if event["type"] == "log"] == ["Load", None]
    assert lines(service, level="ERROR") == ["Broken: ZeroDivisionError: division by zero"]
    assert [kind for kind in service.types() if kind.startswith("job")] == ["jobStarted", "jobCompleted"]


def test_a_module_is_run_as_python_does(tmp_path: Path) -> None:
    service = Service()
    with serving(service) as server:
        ran = run(server.url, "-m", "jobtrack_client", "-m", "json.tool", "--help")
    assert ran.returncode == 0
    assert "usage:" in ran.stdout
    assert service.jobs[0]["jobName"] == "json.tool"
    assert [kind for kind in service.types() if kind != "log"] == ["jobStarted", "jobCompleted"]
    assert service.messages() == [line.rstrip() for line in ran.stdout.splitlines() if line]


def test_what_is_missing_is_told_in_one_line() -> None:
    ran = run("", "-m", "jobtrack_client", sys.executable)
    assert (ran.returncode, ran.stderr) == (
        1,
        "jobtrack_client: base_url is missing: pass it to Client, set JOBTRACK_URL, or choose a profile\n",
    )
