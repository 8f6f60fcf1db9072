"""The cost of reporting for the job: CPU time at a thousand log lines per second."""

import csv
import io
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from uuid import uuid4

from bench.report import Report
from jobtrack_client import Client

LINES = 10_000
RATE = 1_000
LIMIT = 1.0
"""Percent of the CPU time of a job that is never idle."""


def measure(report: Report) -> None:
    """Measure a worker in a process of its own, which reports to a service that stores nothing."""
    with _sink() as url:
        identity = {name: str(uuid4()) for name in ("JOBTRACK_TENANT", "JOBTRACK_PROJECT")}
        environment = {**os.environ, **identity, "JOBTRACK_URL": url, "JOBTRACK_TOKEN": "t"}
        worker = [sys.executable, "-m", "bench.reporter"]
        done = subprocess.run(worker, env=environment, stdout=subprocess.PIPE, check=True, timeout=120)
    percent = json.loads(done.stdout)
    report.add(f"job.log, {RATE:,} lines a second", "% of its CPU", round(percent, 2), LIMIT)


@contextmanager
def _sink() -> Iterator[str]:
    """Accepts every request."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """Respond as if the events were stored."""
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(202)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing."""


def _worked() -> float:
    """Return the percentage of a busy job's CPU time that reporting takes, in the job's and the sending thread."""
    rows = _half_a_millisecond()
    with Client().job("Bench", job_type="Bench") as job, job.stage("Load"):
        log = partial(job.log, "INFO", component="Loader")
        _turns(rows, log, RATE)  # imports are not a cost of a line
        job.flush()
        # One thread of this process is the job's; the client started the others.
        others = time.process_time() - time.thread_time()
        with_lines, without = _turns(rows, log, LINES)
        job.flush()
        sending = time.process_time() - time.thread_time() - others
    return 100 * (with_lines - without + sending) / (2 * without)


def _turns(rows: str, log: Callable[[str], None], lines: int) -> tuple[float, float]:
    """Return the seconds of `lines` turns that log a line each, and of as many turns that log none.

    The two kinds alternate, so that other work on the machine affects both equally.
    """
    took = {True: 0.0, False: 0.0}
    for number in range(lines):
        for logs in (True, False) if number % 2 else (False, True):
            took[logs] += _turn(rows, number, log if logs else _nothing)
    return took[True], took[False]


def _turn(rows: str, number: int, log: Callable[[str], None]) -> float:
    began = time.thread_time()
    counts: dict[str, int] = {}
    for row in csv.reader(io.StringIO(rows)):
        counts[row[3]] = counts.get(row[3], 0) + len(row[5])
    log(f"row {number} of the input was read and checked against the table of customers")
    return time.thread_time() - began


def _nothing(message: str) -> None:
    """Do a turn without a line."""


def _half_a_millisecond() -> str:
    """Return rows that take half of the time between two lines at the target rate.

    Only every other turn logs a line.
    """
    rows = [",".join(str(row * column) for column in range(12)) for row in range(100)]
    once = min(_turn("\n".join(rows), 0, _nothing) for _ in range(200))
    return "\n".join((rows * 100)[: round(100 * 0.5 / RATE / once)])


if __name__ == "__main__":
    print(json.dumps(_worked()))
