"""The demo from start to end: service, receiver, job, worker, comparison."""

import json
import secrets
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import httpx
from rich.console import Console

from jobtrack_client import Client
from jobtrack_client._runtime.visible_text import visible
from jobtrack_client.commands.board import display_for
from jobtrack_client.types import Subscription
from jobtrack_demo import messages
from jobtrack_demo.audit import EVENTS, Counts, differences, expected_pushes
from jobtrack_demo.children import Child, free_port
from jobtrack_demo.follow import Watch, ended, read_answers
from jobtrack_demo.miner import plan
from jobtrack_demo.miner.__main__ import COUNTS
from jobtrack_demo.miner.source import Source
from jobtrack_demo.receiver import Gate, Receiver
from jobtrack_local import tokens
from jobtrack_local.errors import LocalError
from jobtrack_local.profile import PROJECT, TENANT

START_SECONDS = 120.0
SERVICE_PATIENCE, WORKER_PATIENCE = 80.0, 15.0
QUIET_SECONDS, SETTLE_SECONDS = 60.0, 2.0
WATCHED_SECONDS = 30.0
"""How long the job takes, for people who watch it."""


@dataclass(frozen=True)
class Options:
    """The options of the command line.

    None means a free port, the default engine, data in memory, or a report in a temporary folder.
    """

    source: Source
    once: bool = False
    fast: bool = False
    port: int | None = None
    engine: str | None = None
    data: Path | None = None
    out: Path | None = None


def run(options: Options, console: Console) -> bool:
    """Serve, run the job, and return whether all counts agree. Without `once`, serve until interrupted.

    Raises:
        LocalError: the service does not start, or ends before the demo does.
    """
    with tempfile.TemporaryDirectory(prefix="jobtrack-demo-") as folder, _service(options, folder) as (url, service):
        out = options.out or Path(folder) / "report"
        wrong = _job(options, out, url, service, console)
        for line in wrong:
            _say(console, f"NOT OK: {line}", "red")
        if not options.once:
            for line in messages.next_steps(url, out, kept=options.out is not None):
                _say(console, line)
            _serve_on(service)
        return not wrong


def _job(options: Options, out: Path, url: str, service: Child, console: Console) -> list[str]:
    """Run the job, show it, and return the differences."""
    token, bearer = tokens.issue(TENANT, PROJECT), secrets.token_urlsafe(24)
    gate = Gate(bearer)
    with Receiver(gate) as receiver, Client(url, token, TENANT, PROJECT) as client, display_for(console) as display:
        job_id = _create(client, options.source, gate, receiver.url, bearer)
        for line in messages.live_page(url, token, job_id):
            _say(console, line)
        watch = Watch(client, job_id, gate, display, service)
        with _worker(options, out, url, token, job_id) as worker:
            watch.until_ended(worker)
            worker.wait(WORKER_PATIENCE)
        counts = _counts(out)
        if counts is None:
            return [f"the worker ended with code {worker.exit_code} and left no counts: {worker.last_words}"]
        inbox = watch.until_pushed(expected_pushes(counts).total(), QUIET_SECONDS, SETTLE_SECONDS)
        wrong = differences(counts, read_answers(client, job_id), inbox)
    if counts["error"] is not None:
        return [f"the job failed: {counts['error']}", *wrong]
    if not wrong:
        _say(console, messages.success(counts, inbox))
    return wrong


def _create(client: Client, source: Source, gate: Gate, webhook: str, bearer: str) -> str:
    """Create the job with a subscription to every event, and return its id."""
    subscription: Subscription = {
        "subscription_type": "webhook",
        "webhook_url": webhook,
        "events": EVENTS,
        "filters": {"min_progress_increment": 0, "include_debug_events": True, "notify_on_errors": True},
        "authentication": {"type": "bearer", "token": bearer},
        "language": "en",
    }
    job = client.create_job(
        plan.job_name(source), job_type=plan.JOB_TYPE, stages=plan.stages(), subscriptions=[subscription]
    )
    made = cast(list[dict[str, str]], job["subscriptions"])
    gate.know(made[0]["signingSecret"])
    return job["jobId"]


def _worker(options: Options, out: Path, url: str, token: str, job_id: str) -> Child:
    source, columns = options.source, options.source.columns
    chosen = ["--case", columns.case, "--activity", ",".join(columns.activity), "--time", columns.time]
    arguments = ["-m", "jobtrack_demo.miner", "--input", str(source.path), *chosen, "--out", str(out), "--job", job_id]
    pace = [] if options.fast else ["--seconds", str(WATCHED_SECONDS)]
    names = {"JOBTRACK_URL": url, "JOBTRACK_TOKEN": token, "JOBTRACK_TENANT": TENANT, "JOBTRACK_PROJECT": PROJECT}
    return Child("worker", [*arguments, *pace], names, WORKER_PATIENCE)


def _counts(out: Path) -> Counts | None:
    try:
        return cast(Counts, json.loads((out / COUNTS).read_text("utf-8")))
    except FileNotFoundError:
        return None


@contextmanager
def _service(options: Options, folder: str) -> Iterator[tuple[str, Child]]:
    """Start the service, and wait until it is ready. Its temporary files are in `folder`, even if it is killed."""
    port = options.port or free_port()
    data = ["--memory"] if options.data is None else ["--data", str(options.data)]
    engine = [] if options.engine is None else ["--engine", options.engine]
    arguments = ["-m", "jobtrack_local", "serve", "--port", str(port), *data, *engine]
    with Child("service", arguments, {"TMPDIR": folder}, SERVICE_PATIENCE) as child:
        url = f"http://127.0.0.1:{port}"
        _wait_ready(url, child)
        yield url, child


def _wait_ready(url: str, child: Child) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if child.exit_code is not None:
            raise LocalError(f"the service did not start: {child.last_words}")
        try:
            if httpx.get(f"{url}/health", timeout=2, trust_env=False).status_code == httpx.codes.OK:
                return
        except httpx.TransportError:
            pass  # not listening yet
        time.sleep(0.1)
    raise LocalError(f"the service was not ready within {START_SECONDS:.0f} seconds: {child.last_words}")


def _serve_on(service: Child) -> None:
    while service.exit_code is None:
        time.sleep(0.5)
    raise ended(service)


def _say(console: Console, text: str, style: str = "") -> None:
    """Print a line unchanged, however long; it may quote the worker or the service."""
    console.print(visible(text), style=style, markup=False, emoji=False, highlight=False, soft_wrap=True)
