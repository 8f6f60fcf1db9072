"""Tasks of Celery as jobs: in a worker's own thread, and in the processes of a pool, which may be lost."""

import json
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest
from celery import Celery  # type: ignore[import-untyped]
from celery.contrib.testing.worker import start_worker  # type: ignore[import-untyped]
from celery.exceptions import Ignore  # type: ignore[import-untyped]
from celery.utils.log import get_task_logger  # type: ignore[import-untyped]

import jobtrack_client as jt
from jobtrack_client.celery import track_tasks
from tests.faults.serving import OPTIONS, environment, serving
from tests.unit.client.service import GUID, Service, client

Found = TypeVar("Found")
PATIENCE_SECONDS = 30
LOGGER = get_task_logger("program")
SECRET = "hunter2"
ENDS = ("jobCompleted", "jobFailed", "jobCancelled")


@dataclass
class Jobs:
    """A service for each job, so that each one's events are apart."""

    services: dict[str, Service] = field(default_factory=dict)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path.split("/")
        job_id = path[path.index("job") + 1] if "job" in path else json.loads(request.content)["jobId"]
        return self.services.setdefault(job_id, Service())(request)

    def ended(self, job_id: str) -> Service:
        """The service of a job once it has ended."""
        return eventually(lambda: self._ended(job_id))

    def _ended(self, job_id: str) -> Service | None:
        service = self.services.get(job_id)
        return service if service and service.types()[-1:] and service.types()[-1] in ENDS else None


def eventually(what: Callable[[], Found | None]) -> Found:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (found := what()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return found


@pytest.fixture(scope="module")
def jobs() -> Jobs:
    return Jobs()


@pytest.fixture(scope="module")
def app(jobs: Jobs) -> Iterator[Celery]:
    """A worker that runs the tasks of this file in a thread."""
    app = Celery("program", broker="memory://", backend="cache+memory://")
    undo = track_tasks(client=lambda: client(jobs), options=OPTIONS)
    for body in (load, fail, again, ignored):
        app.task(bind=True, name=f"program.{body.__name__}")(body)
    with start_worker(app, perform_ping_check=False, pool="solo", loglevel="INFO"):
        yield app
    undo()


def load(self: Any, password: str) -> str:
    job = jt.current_job()
    assert job is not None
    LOGGER.warning("loading")
    with job.stage("Rows", total=2) as stage:
        stage.advance(2)
    return password


def fail(self: Any) -> None:
    raise ValueError("row 7")


def again(self: Any) -> int:
    LOGGER.warning("try %d", self.request.retries)
    if self.request.retries < 2:
        raise self.retry(countdown=0, exc=ValueError("not yet"))
    return int(self.request.retries)


def ignored(self: Any) -> None:
    raise Ignore


def test_a_task_is_a_job_by_its_name_and_id_and_neither_arguments_nor_result_leave_the_worker(
    app: Celery, jobs: Jobs
) -> None:
    sent = app.tasks["program.load"].delay(SECRET)
    assert sent.get(PATIENCE_SECONDS) == SECRET
    service = jobs.ended(sent.id)
    called = {"jobId": sent.id, "jobName": "program.load", "jobType": "program.load"}
    assert service.jobs == [{**called, "heartbeatSeconds": 300, "metadata": {"taskId": sent.id}}]
    assert [event["data"]["message"] for event in service.events if event["type"] == "log"] == ["loading"]
    assert [event["data"]["level"] for event in service.events if event["type"] == "log"] == ["WARN"]
    assert [type_ for type_ in service.types() if type_ != "log"] == [
        *("jobStarted", "stageStarted", "progressUpdate", "stageCompleted", "jobCompleted")
    ]
    assert not [request for request in service.requests if SECRET.encode() in request.content]
    assert jt.current_job() is None


def test_a_task_that_raises_fails_its_job_and_one_that_is_ignored_is_cancelled(app: Celery, jobs: Jobs) -> None:
    failed, dropped = app.tasks["program.fail"].delay(), app.tasks["program.ignored"].delay()
    error = {"message": "row 7", "type": "ValueError"}
    assert jobs.ended(failed.id).events[-1]["data"] == {"error": error}
    assert jobs.ended(dropped.id).types() == ["jobStarted", "jobCancelled"]


def test_a_task_that_is_tried_again_goes_on_with_its_job(app: Celery, jobs: Jobs) -> None:
    sent = app.tasks["program.again"].apply_async(task_id="chosen by hand")
    assert sent.get(PATIENCE_SECONDS) == 2
    (service,) = [
        each for each in jobs.services.values() if {"taskId": "chosen by hand"} in [j["metadata"] for j in each.jobs]
    ]
    eventually(lambda: service.types()[-1] == "jobCompleted")
    assert service.messages() == ["try 0", "try 1", "try 2"]
    assert Counter(service.types()) == {"jobStarted": 1, "log": 3, "warning": 2, "jobCompleted": 1}
    assert "not yet" in next(event["data"]["description"] for event in service.events if event["type"] == "warning")


def plain() -> int:
    return 1


def test_tasks_run_where_the_client_lacks_something(caplog: pytest.LogCaptureFixture) -> None:
    app = Celery("eager", set_as_current=False)
    app.conf.task_always_eager = True
    undo = track_tasks(client=lambda: jt.Client("nowhere", "t", GUID, GUID))
    try:
        assert app.task(name="eager.load")(plain).delay().get() == 1
        assert app.task(name="eager.save")(plain).delay().get() == 1
    finally:
        undo()
    assert [record.getMessage() for record in caplog.records if record.name == "jobtrack_client"] == [
        "tasks are not tracked: base_url must be an http or https URL, not 'nowhere'"
    ]


WORKER = """
import os, signal, time
from celery import Celery
from celery.utils.log import get_task_logger
import jobtrack_client
from jobtrack_client.celery import track_tasks

app = Celery("pool", broker="filesystem://")
app.conf.broker_transport_options = {name: os.environ["BOX"] for name in ("data_folder_in", "data_folder_out")}
app.conf.broker_transport_options["control_folder"] = os.environ["BOX"] + "-control"
app.conf.worker_concurrency = 2
track_tasks()

@app.task(name="pool.work")
def work(number):
    get_task_logger("pool").warning("row %d", number)
    print("printed")
    jobtrack_client.current_job().milestone("half")

@app.task(name="pool.lost")
def lost():
    jobtrack_client.current_job().flush(20)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def sent(tasks: str, place: dict[str, str]) -> list[str]:
    """The ids of the tasks that were sent, by a process of its own."""
    command = [sys.executable, "-c", f"import pool; print(*{tasks})"]
    return subprocess.run(command, env=place, capture_output=True, text=True, check=True).stdout.split()


def test_the_processes_of_a_pool_report_and_one_that_is_lost_fails_its_job(tmp_path: Path) -> None:
    jobs = Jobs()
    (tmp_path / "pool.py").write_text(WORKER)
    (tmp_path / "box").mkdir()
    (tmp_path / "box-control").mkdir()
    with serving(jobs) as server:
        place = {**environment(server.url), "BOX": str(tmp_path / "box")}
        place["PYTHONPATH"] = f"{tmp_path}:{place['PYTHONPATH']}"
        works = sent("[pool.work.delay(n).id for n in range(6)]", place)
        command = [sys.executable, "-m", "celery", "-A", "pool", "worker", "--pool", "prefork"]
        quiet = [*command, "--without-gossip", "--without-mingle", "--without-heartbeat", "--loglevel", "WARNING"]
        worker = subprocess.Popen(quiet, env=place, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            services = [jobs.ended(job_id) for job_id in works]
            # Only now: what a process that is killed has not sent yet is lost with it.
            failed = jobs.ended(*sent("[pool.lost.delay().id]", place))
        finally:
            worker.send_signal(signal.SIGTERM)
            worker.wait(PATIENCE_SECONDS)
    for number, service in enumerate(services):
        assert service.messages() == [f"row {number}", "printed"]
        assert service.types() == ["jobStarted", "log", "log", "milestone", "jobCompleted"]
    assert failed.types() == ["jobStarted", "jobFailed"]
    assert failed.events[-1]["data"]["error"]["type"] == "WorkerLostError"
