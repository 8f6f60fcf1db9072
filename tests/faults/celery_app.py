"""A Celery application whose tasks end in every way, and a worker that runs them with a folder as broker.

    BOX=/tmp/box celery -A tests.faults.celery_app worker --pool prefork

`prepared(box)` makes the folder, `send(box, way)` sends a task that ends in one of the WAYS.
"""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from celery import Celery, group  # type: ignore[import-untyped]
from celery.exceptions import Ignore, Reject  # type: ignore[import-untyped]
from celery.utils.log import get_task_logger  # type: ignore[import-untyped]

import jobtrack_client as jt
from jobtrack_client.integrations.celery import track_tasks

LOGGER = get_task_logger("program")
POOLS = ("prefork", "threads", "gevent", "eventlet", "solo")
LINES = 20_000


def application(box: Path) -> Celery:
    """Return the application whose messages go through the folder."""
    app = Celery("program", broker="filesystem://", backend=f"file://{box}/results")
    app.conf.broker_transport_options = {
        "data_folder_in": f"{box}/in",
        "data_folder_out": f"{box}/in",
        "control_folder": f"{box}/control",
    }
    app.conf.result_chord_join_timeout = 30
    app.conf.worker_concurrency = 4
    app.conf.worker_lost_wait = 1
    app.task(bind=True, name="program.end", max_retries=2)(end)
    app.task(bind=True, name="program.late", acks_late=True, reject_on_worker_lost=True)(end)
    app.task(bind=True, name="program.other")(end)
    return app


def end(task: Any, way: str) -> Any:
    """The body of every task."""
    LOGGER.warning("%s", way)
    return WAYS[way](task)


def job() -> jt.Job:
    current = jt.current_job()
    assert current is not None
    return current


def raise_(error: BaseException) -> None:
    raise error


def kill(number: int) -> None:
    job().flush(20)
    os.kill(os.getpid(), number)
    time.sleep(20)


def hang(task: Any) -> None:
    """Run for a while, unless the task was delivered before."""
    delivered = Path(os.environ["BOX"], task.request.id)
    if delivered.exists():
        return
    delivered.touch()
    job().milestone("hanging")
    job().flush(20)
    for _ in range(20 * 60):
        time.sleep(0.05)


def thread(task: Any) -> None:
    threading.Thread(target=time.sleep, args=(0.3,)).start()


def fork_and_exit(task: Any) -> None:
    """A child must not return into Celery's code, which would run twice."""
    if not (child := os.fork()):
        sys.exit(0)
    time.sleep(1)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


def left(task: Any) -> None:
    for _ in jt.track(range(5), "Rows"):
        break


def backlog(task: Any) -> None:
    for number in range(LINES):
        LOGGER.warning("%d", number)
    raise ValueError("row 7")


def retry(task: Any, then: Callable[[], Any]) -> Any:
    return then() if task.request.retries == task.max_retries else raise_(task.retry(countdown=0, throw=False))


def retry_later(task: Any) -> None:
    if not task.request.retries:
        raise task.retry(countdown=3)
    job().milestone("again")


WAYS: Mapping[str, Callable[[Any], Any]] = {
    "return": lambda task: None,
    "exception": lambda task: raise_(ValueError("row 7")),
    "exit": lambda task: sys.exit(3),
    "sigterm": lambda task: kill(signal.SIGTERM),
    "backlog": backlog,
    "thread": thread,
    "fork and exit": fork_and_exit,
    "left": left,
    "hang": hang,
    "ignore": lambda task: raise_(Ignore("no need")),
    "reject": lambda task: raise_(Reject("never", requeue=False)),
    "retry": lambda task: retry(task, lambda: None),
    "retry later": retry_later,
    "fail at last": lambda task: retry(task, lambda: raise_(task.retry(exc=ValueError("row 7"), throw=False))),
    "replace": lambda task: task.replace(task.app.signature("program.other", ("return",))),
    "replace by many": lambda task: task.replace(
        group(task.app.signature("program.other", ("return",)) for _ in range(2))
    ),
}


def send(box: Path, way: str, name: str = "program.end", **options: Any) -> str:
    """Send a task, and return its id."""
    identity: str = application(box).send_task(name, (way,), **options).id
    return identity


def prepared(box: Path) -> Path:
    """Create the broker's folder."""
    for name in ("in", "control", "results"):
        (box / name).mkdir(parents=True)
    return box


@contextmanager
def worker(
    box: Path, pool: str, environ: Mapping[str, str], app: str = "tests.faults.celery_app"
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a worker with this pool; it is killed at the end if it still runs."""
    quiet = ["--without-gossip", "--without-mingle", "--without-heartbeat", "--loglevel", "WARNING"]
    command = [sys.executable, "-W", "ignore", "-m", "celery", "-A", app, "worker", "-P", pool]
    process = subprocess.Popen(
        [*command, *quiet], env={**environ, "BOX": str(box)}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


if "BOX" in os.environ:
    app = application(Path(os.environ["BOX"]))
    track_tasks(heartbeat_seconds=int(os.environ.get("HEARTBEAT_SECONDS", "300")))
