"""The programs: one loop, and the code that ends it, tracked in each way."""

from dataclasses import dataclass

ROWS = 5
BACKLOG_LINES = 20_000

_LOOP = """
import atexit, os, sys, threading, time

def work(rows, log):
    for row in rows:
        log(f"row {{row}}")
        if row == 2:
            {body}

def late(log):
    time.sleep(1)
    log("late")
"""

_BODIES = {
    "return": "pass",
    "exception": "raise ValueError('boom')",
    "sys.exit(3)": "sys.exit(3)",
    # If it were killed before its job has started, the job would stay queued.
    "signal": "time.sleep(1.5); print('READY', flush=True); time.sleep(60)",
    "backlog": f"[log(str(n)) for n in range({BACKLOG_LINES})]; print('READY', flush=True); raise ValueError('boom')",
    "refused": "time.sleep(1.5)",
    "thread still running": "threading.Thread(target=late, args=(log,)).start()",
    "fork": """
            if (child := os.fork()) == 0:
                log("child")
                sys.exit(0)
            os.waitpid(child, 0)""",
    "generator left early": "break",
    "interpreter exit": "pass",
    # Only a Celery task does this. It ends when told to, because its worker waits for it.
    "until told": """
            log(f"process {os.getpid()}")
            while not os.path.exists(os.environ["GO"]):
                time.sleep(0.05)""",
    # Leaving by an exception would run Celery's code in the child, which would report the parent's process as dead.
    "fork in a task": """
            if (child := os.fork()) == 0:
                log("child")
                os._exit(0)
            os.waitpid(child, 0)""",
}


@dataclass(frozen=True)
class Frame:
    """How a loop is tracked: the last lines of the program, in general and if the interpreter's exit ends it."""

    main: str
    unfinished: str


_TRACK = """
from jobtrack_client import current_job, track

def log(text):
    if (job := current_job()) is not None:
        job.log("INFO", text)

"""
_PRINT = """
def log(text):
    print(text, flush=True)

"""

_TASK = f"""
from jobtrack_client import current_job, track
from tests.faults.celery_app import app

def log(text):
    current_job().log("INFO", text)

@app.task(name=NAME)
def task(way):
    work(track(range({ROWS}), "Rows"), log)
"""

_FRAMES = {
    "track": Frame(
        f"{_TRACK}work(track(range({ROWS}), NAME), log)",
        f"{_TRACK}rows = iter(track(range({ROWS}), NAME))\nlog(f'row {{next(rows)}}')",
    ),
    "job": Frame(
        f"{_TRACK}from jobtrack_client import Client\n"
        f"with Client().job(NAME, job_type=NAME):\n    work(range({ROWS}), log)",
        "from jobtrack_client import Client\njob = Client().job(NAME, job_type=NAME).start()\njob.log('INFO', 'row 0')",
    ),
    "-m": Frame(
        f"{_PRINT}work(range({ROWS}), log)",
        f"{_PRINT}atexit.register(log, 'at exit')\nwork(range({ROWS}), log)",
    ),
    "run": Frame(
        f"{_PRINT}work(range({ROWS}), log)",
        f"{_PRINT}atexit.register(log, 'at exit')\nwork(range({ROWS}), log)",
    ),
    "task": Frame(_TASK, _TASK),
}


def program(entry: str, body: str, name: str) -> str:
    """Return the source of the program that ends as `body` says, tracked by `entry`."""
    frame = _FRAMES[entry]
    end = frame.unfinished if body == "interpreter exit" else frame.main
    return f"{_LOOP.format(body=_BODIES[body])}\nNAME = {name!r}\n{end}\n"
