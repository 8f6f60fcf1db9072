"""Celery tasks as jobs: in a worker's own thread, and in the processes of a pool, which may be lost."""

import json
import signal
import threading
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
from jobtrack_client.integrations.celery import track_tasks
from tests.faults.celery_app import LINES, application, prepared, send, worker
from tests.faults.serving import OPTIONS, environment, run, serving
from tests.unit.client.service import GUID, Service, client

Found = TypeVar("Found")
PATIENCE_SECONDS = 120
LOGGER = get_task_logger("program")
SECRET = "hunter2"
ENDS = ("jobCompleted", "jobFailed", "jobCancelled")


@dataclass
class Jobs:
    """A service for each job, so that their events are separate."""

    services: dict[str, Service] = field(default_factory=dict)
    before: Callable[[httpx.Request], object] = field(default=lambda request: None)
    """Called before each response."""

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.before(request)
        path = request.url.path.split("/")
        job_id = path[path.index("job") + 1] if "job" in path else json.loads(request.content)["jobId"]
        return self.services.setdefault(job_id, Service())(request)

    def ended(self, job_id: str) -> Service:
        """Wait for a job to end, and return its service."""
        return eventually(lambda: self._ended(job_id))

    def types(self, job_id: str) -> list[str]:
        """Return the types of a job's events so far."""
        return self.services[job_id].types() if job_id in self.services else []

    def _ended(self, job_id: str) -> Service | None:
        service = self.services.get(job_id)
        return service if service and not {*ENDS}.isdisjoint(service.types()) else None


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
    """Run a worker for the tasks of this file in a thread."""
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
    raise Ignore("no need")


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
    service = jobs.ended(dropped.id)
    assert service.types() == ["jobStarted", "log", "jobCancelled"]
    assert service.messages() == ["cancelled: the task was ignored: no need"]


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


def test_the_next_try_sends_nothing_before_what_the_last_one_has_reported(
    app: Celery, jobs: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    completed = threading.Event()

    def overtake(request: httpx.Request) -> None:
        if b'"jobCompleted"' in request.content:
            completed.set()
        elif b'"warning"' in request.content:
            completed.wait(0.5)  # long enough for an end without waiting

    monkeypatch.setattr(jobs, "before", overtake)
    sent = app.tasks["program.again"].delay()
    assert sent.get(PATIENCE_SECONDS) == 2
    jobs.ended(sent.id)
    assert [type_ for type_ in jobs.types(sent.id) if type_ != "log"] == [
        *("jobStarted", "warning", "warning", "jobCompleted")
    ]


@pytest.mark.parametrize("pool", ["prefork", "threads", "gevent"])
def test_the_worker_that_holds_a_task_until_its_retry_is_due_sends_the_heartbeats_of_its_job(
    pool: str, box: Path
) -> None:
    jobs = Jobs()
    with serving(jobs) as server, worker(box, pool, {**environment(server.url), "HEARTBEAT_SECONDS": "1"}):
        service = jobs.ended(send(box, "retry later"))
    types = [type_ for type_ in service.types() if type_ != "log"]
    waited = types[types.index("warning") : types.index("milestone")]
    assert waited[1:] == ["heartbeat"] * len(waited[1:])
    assert len(waited[1:]) >= 2
    assert types[-1] == "jobCompleted"


@pytest.mark.parametrize("pool", ["threads", "gevent"])
def test_a_process_that_the_task_has_forked_does_not_end_its_job(pool: str, box: Path) -> None:
    jobs = Jobs()
    with serving(jobs) as server, worker(box, pool, environment(server.url)):
        assert end(jobs.ended(send(box, "fork and exit"))) == COMPLETED


@pytest.mark.parametrize(("acks_late", "last"), [(True, "log"), (False, "jobCancelled")])
def test_a_task_that_the_interpreter_ends_is_cancelled_unless_it_is_delivered_again(acks_late: bool, last: str) -> None:
    jobs = Jobs()
    with serving(jobs) as server:
        run(server.url, "-W", "ignore", "-c", INTERRUPTED.format(acks_late=acks_late))
    (service,) = jobs.services.values()
    assert service.types()[0] == "jobStarted"
    assert service.types()[-1] == last
    assert service.messages()[-1].endswith("the worker was shut down before the task had ended")


def test_a_worker_imports_what_its_jobs_need_before_its_pool_forks() -> None:
    with serving(Jobs()) as server:
        later = run(server.url, "-W", "ignore", "-c", IMPORTS).stdout
    assert later == "[]\n"


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


INTERRUPTED = """
import threading, time
from celery import Celery
from jobtrack_client.integrations.celery import track_tasks

app = Celery("program", set_as_current=False)
track_tasks()
begun = threading.Event()

@app.task(name="program.hang", acks_late={acks_late})
def hang():
    begun.set()
    time.sleep(60)

threading.Thread(target=hang.apply, daemon=True).start()
begun.wait()
raise ValueError("of the worker, not of the task")
"""

IMPORTS = """
import sys
from celery import Celery, signals
from celery.apps import worker
from jobtrack_client.integrations.celery import track_tasks

app = Celery("program", set_as_current=False)
undo = track_tasks()

@app.task(name="program.load")
def load():
    pass

@app.task(name="program.warm")
def warm():
    pass

undo()
warm.apply()
track_tasks()
signals.worker_init.send(sender=None)
before = set(sys.modules)
load.apply()
signals.worker_shutdown.send(sender=None)
print(sorted(set(sys.modules) - before))
"""

COMPLETED, CANCELLED = ("jobCompleted", None), ("jobCancelled", None)
ROW_7 = ("jobFailed", {"message": "row 7", "type": "ValueError"})
WAYS = {
    "retry": COMPLETED,
    "fail at last": ROW_7,
    "ignore": CANCELLED,
    "reject": ("jobFailed", {"message": "never"}),
    "replace": COMPLETED,
    "replace by many": COMPLETED,
}
"""Ways to end that only tasks have. The table of endings (tests/e2e) has the others, for all pools but eventlet."""
WAYS_OF_EVENTLET = WAYS | {
    "return": COMPLETED,
    "exception": ROW_7,
    "thread": COMPLETED,
    "left": COMPLETED,
    "backlog": ROW_7,
}


@pytest.fixture
def box(tmp_path: Path) -> Path:
    return prepared(tmp_path / "box")


def end(service: Service) -> tuple[str, Any]:
    """Return the last event of a job's life cycle, and its error."""
    last = next(event for event in reversed(service.events) if event["type"] in ENDS)
    return last["type"], last.get("data", {}).get("error")


@pytest.mark.parametrize("pool", ["prefork", "threads", "gevent", "eventlet"])
def test_a_task_is_one_job_however_often_it_runs_which_ends_as_it_does(pool: str, box: Path) -> None:
    jobs, ways = Jobs(), WAYS_OF_EVENTLET if pool == "eventlet" else WAYS
    with serving(jobs) as server, worker(box, pool, environment(server.url)) as process:
        ids = {way: send(box, way) for way in ways}
        ended = {way: jobs.ended(identity) for way, identity in ids.items()}
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE_SECONDS) == 0
    assert {way: end(service) for way, service in ended.items()} == ways
    for way in ways:
        types = Counter(ended[way].types())
        assert (types["jobStarted"], sum(types[each] for each in ENDS)) == (1, 1)
        assert len(ended[way].jobs) == (2 if way.startswith("replace") else 1)
    assert [text for text in ended["retry"].messages() if text == "retry"] == ["retry"] * 3
    assert {"replace", "return"} <= {*ended["replace"].messages()}
    assert "backlog" not in ways or ended["backlog"].messages()[-1] == str(LINES - 1)


def test_a_task_whose_process_is_lost_or_takes_too_long_fails_and_one_that_is_revoked_is_cancelled(box: Path) -> None:
    jobs = Jobs()
    with serving(jobs) as server, worker(box, "prefork", environment(server.url)) as process:
        limits: dict[str, dict[str, Any]] = {"hard": {"time_limit": 1}, "soft": {"soft_time_limit": 1}, "revoked": {}}
        ids = {name: send(box, "hang", **options) for name, options in limits.items()}
        eventually(lambda: "milestone" in jobs.types(ids["revoked"]))
        application(box).control.revoke(ids["revoked"], terminate=True)
        ended = {name: end(jobs.ended(identity)) for name, identity in ids.items()}
        ended["sigterm"] = end(jobs.ended(send(box, "sigterm")))
        process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE_SECONDS)
    assert {name: (type_, error and error["type"]) for name, (type_, error) in ended.items()} == {
        "hard": ("jobFailed", "TimeLimitExceeded"),
        "soft": ("jobFailed", "SoftTimeLimitExceeded"),
        "revoked": CANCELLED,
        "sigterm": ("jobFailed", "WorkerLostError"),
    }


def test_a_greenlet_that_takes_too_long_fails_and_one_that_is_revoked_is_cancelled(box: Path) -> None:
    jobs = Jobs()
    with serving(jobs) as server, worker(box, "gevent", environment(server.url)):
        late, revoked = send(box, "hang", time_limit=1), send(box, "hang")
        eventually(lambda: "milestone" in jobs.types(revoked))
        application(box).control.revoke(revoked, terminate=True)
        assert end(jobs.ended(late)) == ("jobFailed", {"message": "1 second", "type": "Timeout"})
        assert end(jobs.ended(revoked)) == CANCELLED
    assert jobs.services[revoked].messages() == ["hang", "cancelled: the task was revoked"]


@pytest.mark.parametrize("pool", ["threads", "gevent"])
def test_a_task_that_calls_exit_where_it_has_no_process_of_its_own_fails(pool: str, box: Path) -> None:
    jobs = Jobs()
    with serving(jobs) as server, worker(box, pool, environment(server.url)):
        ended = end(jobs.ended(send(box, "exit")))
    assert ended == ("jobFailed", {"message": "the task called sys.exit(3)", "type": "WorkerLostError"})


@pytest.mark.parametrize("pool", ["prefork", "gevent"])
def test_a_cold_shutdown_cancels_the_job_of_a_task_unless_it_is_delivered_again(pool: str, box: Path) -> None:
    jobs = Jobs()
    with serving(jobs) as server:
        with worker(box, pool, environment(server.url)) as process:
            cut_off, again = send(box, "hang"), send(box, "hang", "program.late")
            eventually(lambda: "milestone" in jobs.types(cut_off) and "milestone" in jobs.types(again))
            process.send_signal(signal.SIGQUIT)
            process.wait(PATIENCE_SECONDS)
        assert end(jobs.ended(cut_off)) == CANCELLED
        assert jobs.services[cut_off].messages()[-1] == "cancelled: the worker was shut down before the task had ended"
        assert [type_ for type_ in jobs.types(again) if type_ in ENDS] == []
        if pool == "prefork":  # Celery with gevent loses the task
            with worker(box, pool, environment(server.url)):
                assert end(jobs.ended(again)) == COMPLETED
            assert Counter(jobs.types(again))["jobStarted"] == 1
