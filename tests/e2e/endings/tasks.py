"""The programs as Celery tasks, and the expected results of their jobs."""

from collections.abc import Sequence
from pathlib import Path
from signal import SIGKILL, SIGTERM

from tests.e2e.endings.programs import program
from tests.e2e.endings.table import End, Way

POOLS = {"Celery prefork": "prefork", "Celery threads": "threads", "Celery gevent": "gevent"}
"""The columns, with the pool of each column's worker."""
TOGETHER = ("return", "exception", "thread still running", "fork", "generator left early", "sys.exit(3)")
"""Ways that share a worker. The exit is last, because a lost process loses the tasks that it has prefetched."""

CHILD_KILLED = Way("SIGKILL of the child", End("Failed"), body="signal", signal=SIGKILL)
CHILD_REPLACED = Way("child, acks_late", End("Completed"), body="signal", signal=SIGTERM)
"""Ways after which Celery delivers the message again, to another process."""
MORE_WAYS = (CHILD_KILLED, CHILD_REPLACED)
"""Ways that only a worker has."""
NOT_APPLICABLE = {
    (way.name, column): "n/a: no child" for way in MORE_WAYS for column in ("Celery threads", "Celery gevent")
}
"""Cells without a test, and why."""

_WARM = End("Completed", 0, line="row 4")
"""A signal starts a warm shutdown, in which Celery finishes the task."""

ENDS = {
    "return": _WARM,
    "exception": End("Failed", error="boom"),
    "sys.exit(3)": End("Failed", error="3"),
    "SIGINT": End("Completed", 1, line="row 4"),
    "SIGTERM": _WARM,
    # The worker restarts after the task.
    "SIGHUP": End("Completed", None, line="row 4"),
    "SIGKILL": End("Running, stalled", -SIGKILL),
    "backlog": End("Failed", None, error="boom"),
    "401": _WARM,
    "service away": _WARM,
    "thread still running": _WARM,
    "fork": End("Completed", line="child"),
    "generator left early": End("Completed", line="row 2"),
    "interpreter exit": _WARM,
    CHILD_KILLED.name: End("Failed", error="Worker exited prematurely: signal 9"),
    CHILD_REPLACED.name: _WARM,
}

_BODIES = {"signal": "until told", "fork": "fork in a task"}
"""Bodies that differ in a task."""


def write_tasks(folder: Path, ways: Sequence[Way]) -> None:
    """Write the module `tasks` of a worker, with a task named after each way."""
    late = CHILD_REPLACED in ways
    settings = f"app.conf.update(task_acks_late={late}, task_reject_on_worker_lost={late})"
    lines = ["from tests.faults.celery_app import app", settings]
    for number, way in enumerate(ways):
        lines.append(f"import task_{number}")
        source = program("task", _BODIES.get(way.program, way.program), way.name)
        (folder / f"task_{number}.py").write_text(source)
    (folder / "tasks.py").write_text("\n".join(lines))
