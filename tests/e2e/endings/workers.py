"""The Celery columns: each program is a task that a real worker runs."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

import httpx
import psutil

from tests.e2e.endings.proxy import Proxy
from tests.e2e.endings.runs import ENDED, PATIENCE_SECONDS, Seen
from tests.e2e.endings.table import Way
from tests.e2e.endings.tasks import ENDS, MORE_WAYS, NOT_APPLICABLE, POOLS, TOGETHER, write_tasks
from tests.e2e.running import Service
from tests.faults.celery_app import application, prepared, send, worker
from tests.faults.serving import ROOT, serving

Found = TypeVar("Found")
PAGE = 10_000


def groups(column: str, ways: Sequence[Way]) -> list[tuple[Way, ...]]:
    """The ways that share a worker, because starting one takes longer than most tasks."""
    applicable = [way for way in ways if (way.name, column) not in NOT_APPLICABLE]
    together = tuple(way for way in applicable if way.name in TOGETHER)
    return [*([together] if together else []), *((way,) for way in applicable if way not in together)]


def run_together(service: Service, folder: Path, column: str, ways: Sequence[Way]) -> dict[str, Seen]:
    """Run the programs as tasks of one worker, one after the other, and read their jobs from the service."""
    tenant, project = str(uuid4()), str(uuid4())
    box = prepared(folder / str(uuid4()))
    write_tasks(box, ways)
    proxy = Proxy(service.url, ways[0].delay, ways[0].failing, ways[0].failure)
    with closing(proxy), serving(proxy) as server, service.client(tenant, project) as api:
        variables = {**service.variables(tenant, project), "JOBTRACK_URL": server.url}
        environment = {**os.environ, **variables, "PYTHONPATH": f"{box}:{ROOT}", "GO": f"{box}/go"}
        with worker(box, POOLS[column], environment, "tasks") as process:
            ids = {way.name: _ended(api, box, process, way) for way in ways}
            code = _stopped(process, ways[-1])
        return {name: _seen(api, name, task_id, code, proxy) for name, task_id in ids.items()}


def _ended(api: httpx.Client, box: Path, process: "subprocess.Popen[bytes]", way: Way) -> str:
    """Send the task, treat its worker as the way requires, wait for the job's end, and return the task's id."""
    task_id = send(box, "", way.name)
    if way.signal is not None and way.program == "signal":
        _signal(process, way.signal, way not in MORE_WAYS, _eventually(lambda: _process(api, task_id)))
        (box / "go").touch()
    elif way.name == "interpreter exit":
        result = application(box).AsyncResult(task_id)
        _eventually(result.ready)
        process.send_signal(signal.SIGTERM)
    end = ENDS[way.name]
    _eventually(lambda: {*map(_status, _jobs(api, way.name))} & {*ENDED, end.status})
    if way.name == "backlog":
        assert len(_lines(api, task_id)) < PAGE, "the end has waited for the lines"
    else:
        _eventually(lambda: any(end.line in line for line in _lines(api, task_id)))
    return task_id


def _process(api: httpx.Client, task_id: str) -> int | None:
    """Return the process that runs a task, from its log."""
    return next((int(line.split()[1]) for line in _lines(api, task_id) if line.startswith("process ")), None)


def _signal(process: "subprocess.Popen[bytes]", number: signal.Signals, to_worker: bool, task: int | None) -> None:
    """Send the signal to the worker, or only to its child that runs the task.

    A process manager sends SIGKILL to all processes and other signals to the worker: children ignore SIGINT.
    """
    worker = psutil.Process(process.pid)
    children = worker.children(recursive=True)
    for receiver in [worker] if to_worker else [child for child in children if child.pid == task]:
        receiver.send_signal(number)
    if to_worker and number is signal.SIGKILL:
        for child in children:
            child.kill()


def _stopped(process: "subprocess.Popen[bytes]", way: Way) -> int | None:
    """End the worker unless its way has, and return its exit status; None if it restarts or is killed."""
    if way.name in ("SIGHUP", "backlog"):
        return None
    if way.signal is None or way in MORE_WAYS:
        process.send_signal(signal.SIGTERM)
    return process.wait(PATIENCE_SECONDS)


def _seen(api: httpx.Client, name: str, task_id: str, code: int | None, proxy: Proxy) -> Seen:
    jobs = _jobs(api, name)
    (job,) = (job for job in jobs if job["jobId"] == task_id)
    lines = _lines(api, task_id)
    # A worker's main process creates the job of a lost process again, in case that was not done.
    heartbeats = tuple({*proxy.heartbeats})
    return Seen(_status(job), code, (job["error"] or {}).get("message", ""), lines, len(jobs), heartbeats)


def _eventually(what: Callable[[], Found]) -> Found:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (found := what()) and time.monotonic() < deadline:
        time.sleep(0.2)
    return found


def _jobs(api: httpx.Client, name: str) -> list[dict[str, Any]]:
    jobs: list[dict[str, Any]] = api.get("/jobs").json()["jobs"]
    return [job for job in jobs if job["jobName"] == name]


def _status(job: dict[str, Any]) -> str:
    return f"{job['status']}, stalled" if job["stalled"] else str(job["status"])


def _lines(api: httpx.Client, job_id: str) -> tuple[str, ...]:
    """Return the first lines of the job's log; there are none before it is created."""
    page = api.get(f"/job/{job_id}/logs", params={"level": "DEBUG", "limit": PAGE}).json()
    return tuple(entry["message"] for entry in page.get("logs", ()))
