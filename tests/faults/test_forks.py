"""Forked and newly started processes report everything once, and none of them hangs."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.faults.serving import lines, run, run_worker, serving
from tests.unit.client.service import GUID, Service


def told(service: Service, type_: str) -> list[dict[str, Any]]:
    return [event["data"] for event in service.events if event["type"] == type_]


def test_a_forked_child_neither_hangs_nor_repeats_its_parent_s_events() -> None:
    service = Service()
    script = """
        import os, sys
        for number in range(20):
            job.log("INFO", str(number))
            if not (child := os.fork()):
                job.log("INFO", f"child {number}")
                assert job.flush(30)
                sys.exit(0)
            assert os.waitpid(child, 0)[1] == 0
        job.complete()
    """
    with serving(service) as server:
        ran = run_worker(server.url, script)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert [text for text in service.messages() if not text.startswith("child")] == lines(20)
    assert Counter(service.messages()) == Counter([*lines(20), *(f"child {number}" for number in range(20))])


def test_a_fork_in_the_middle_of_reports_and_flushes_of_other_threads_hangs_nobody() -> None:
    service = Service()
    script = """
        import os, threading
        over = threading.Event()
        def report():
            while not over.wait(0.0001):
                job.heartbeat()
                job.flush(0.01)
        threads = [threading.Thread(target=report) for _ in range(3)]
        with job, job.stage("Load") as stage:
            for thread in threads:
                thread.start()
            for number in range(20):
                if not (child := os.fork()):
                    stage.advance()
                    job.log("INFO", str(number))
                    os._exit(0 if job.flush(30) else 1)
                assert os.waitpid(child, 0)[1] == 0
            over.set()
            for thread in threads:
                thread.join()
    """
    with serving(service) as server:
        ran = run_worker(server.url, script)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert service.messages() == lines(20)
    assert told(service, "stageCompleted") == [{"stageName": "Load", "recordsProcessed": 20}]


@pytest.mark.parametrize("ending", ["", "pool.close(); pool.join()"], ids=["terminated", "joined"])
def test_the_workers_of_a_pool_report_and_advance_a_stage_of_their_parent(ending: str) -> None:
    service = Service()
    script = f"""
        import multiprocessing
        def work(worker):
            for number in range(200):
                job.log("INFO", f"{{worker}} {{number}}")
                stage.advance()
        with job, job.stage("Load", total=800) as stage, multiprocessing.get_context("fork").Pool(4) as pool:
            pool.map(work, range(4), chunksize=1)
            {ending}
    """
    with serving(service) as server:
        ran = run_worker(server.url, script)
    assert (ran.returncode, ran.stderr) == (0, "")
    for worker in range(4):
        mine = [text for text in service.messages() if text.startswith(f"{worker} ")]
        assert mine == [f"{worker} {number}" for number in range(200)]
    assert {event["data"]["stage"] for event in service.events if event["type"] == "log"} == {"Load"}
    assert told(service, "stageCompleted") == [{"stageName": "Load", "recordsProcessed": 800}]
    assert service.types()[-2:] == ["stageCompleted", "jobCompleted"]


def test_a_stage_of_a_forked_process_is_reported_by_it_and_one_of_its_parent_is_not_ended_by_it() -> None:
    service = Service()
    script = """
        import os, sys
        with job, job.stage("Load") as stage:
            if not (child := os.fork()):
                stage.update(operation="half")
                with job.stage("Part", total=2) as part:
                    part.advance(2)
                raise ValueError("only the child fails")
            os.waitpid(child, 0)
    """
    with serving(service) as server:
        ran = run_worker(server.url, script)
    assert ran.returncode == 0
    assert ran.stderr.count("only the child fails") == 1
    assert service.types() == [
        *("jobStarted", "stageStarted", "progressUpdate", "stageStarted", "progressUpdate", "stageCompleted"),
        *("stageCompleted", "jobCompleted"),
    ]
    assert [(stage["stageName"], stage.get("recordsProcessed")) for stage in told(service, "progressUpdate")] == [
        ("Load", 0),
        ("Part", 2),
    ]


def test_what_a_child_has_reported_outlives_its_kill() -> None:
    service = Service()
    script = """
        import os, signal
        with job:
            if not (child := os.fork()):
                for number in range(100):
                    job.log("INFO", str(number))
                os.kill(os.getpid(), signal.SIGKILL)
            os.waitpid(child, 0)
    """
    with serving(service) as server:
        ran = run_worker(server.url, script)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert service.messages() == lines(100)


def test_a_child_that_says_more_than_its_stopped_parent_can_take_keeps_it() -> None:
    service = Service()
    script = """
        import os, signal
        parent = os.getpid()
        with job, job.stage("Load") as stage:
            if not (child := os.fork()):
                os.kill(parent, signal.SIGSTOP)
                for number in range(5000):
                    job.log("INFO", str(number))
                    stage.advance()
                os.kill(parent, signal.SIGCONT)
                raise SystemExit(0 if job.flush(30) else 1)
            assert os.waitpid(child, 0)[1] == 0
    """
    with serving(service) as server:
        ran = run_worker(server.url, script)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert service.messages() == lines(5000)
    assert told(service, "stageCompleted") == [{"stageName": "Load", "recordsProcessed": 5000}]


def test_a_child_that_outlives_its_parent_sends_by_itself() -> None:
    service = Service()
    script = """
        import os, time
        if not os.fork():
            parent = os.getppid()
            job.log("INFO", "0")
            while os.getppid() == parent:
                time.sleep(0.01)
            for number in range(1, 300):
                job.log("INFO", str(number))
            job.complete()
            job.close()
            os._exit(0)
        job.flush()
        job.close()
    """
    with serving(service) as server:
        ran = run_worker(server.url, script)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert service.messages() == lines(300)
    assert service.types()[-1] == "jobCompleted"


def test_a_process_forked_from_a_forked_one_reports_too() -> None:
    service = Service()
    script = """
        import os
        with job, job.stage("Load") as stage:
            for generation in range(4):
                job.log("INFO", str(generation))
                stage.advance()
                if child := os.fork():
                    os.waitpid(child, 0)
                    break
    """
    with serving(service) as server:
        ran = run_worker(server.url, script)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert service.messages() == lines(4)
    assert told(service, "stageCompleted") == [{"stageName": "Load", "recordsProcessed": 4}]


WORK = """
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
import jobtrack_client as jt

def work(number, job=None):
    current = jt.current_job()
    assert job is None or job is current
    current.log("INFO", str(number))
    with current.stage("Part", total=1) as stage:
        stage.advance()

def start_another(number):
    child = get_context(sys.argv[1]).Process(target=work, args=(number,))
    child.start()
    child.join()

if __name__ == "__main__":
    method, client = get_context(sys.argv[1]), jt.Client(*sys.argv[2:])
    with client.job("other", job_type="o"), client.job("n", job_type="t") as job:
        with method.Pool(2) as pool:  # whose processes are terminated
            pool.map(work, range(20))
        pool = method.Pool(2)
        pool.starmap(work, [(number, job) for number in range(20, 40)])
        pool.close()
        pool.join()
        with ProcessPoolExecutor(2, method) as pool:
            list(pool.map(work, range(40, 50)))
            list(pool.map(start_another, range(50, 52)))
"""


@pytest.mark.parametrize("method", ["fork", "forkserver", "spawn"])
def test_the_current_job_of_a_process_is_that_of_the_code_that_started_it(method: str, tmp_path: Path) -> None:
    service = Service()
    (tmp_path / "work.py").write_text(WORK)
    with serving(service) as server:
        # Without environment variables: the processes have the client's arguments.
        ran = run("", str(tmp_path / "work.py"), method, server.url, "t", GUID, GUID)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert sorted(service.messages(), key=int) == lines(52)
    assert {request.url.path.split("/")[-2] for request in service.requests if b'"log"' in request.content} == {
        service.jobs[1]["jobId"]
    }
    assert Counter(stage["stageName"] for stage in told(service, "stageCompleted")) == {"Part": 52}


@pytest.mark.parametrize("method", ["fork", "forkserver", "spawn"])
def test_a_process_that_attaches_adds_to_the_job_and_neither_starts_nor_ends_it(method: str, tmp_path: Path) -> None:
    service = Service()
    script = f"""
import multiprocessing
from jobtrack_client import Client

def work(job_id):
    worker = Client().attach(job_id).start()
    for number in range(100):
        worker.log("INFO", str(number))

if __name__ == "__main__":
    with Client().job("n", job_type="t") as job:
        child = multiprocessing.get_context({method!r}).Process(target=work, args=(job.job_id,))
        child.start()
        child.join()
        assert child.exitcode == 0
"""
    (tmp_path / "work.py").write_text(script)
    with serving(service) as server:
        ran = run(server.url, str(tmp_path / "work.py"))
    assert (ran.returncode, ran.stderr) == (0, "")
    assert service.messages() == lines(100)
    assert Counter(service.types()) == {"jobStarted": 1, "log": 100, "jobCompleted": 1}
