"""The command `watch`."""

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from jobtrack_client import models
from jobtrack_client._exceptions import NotFound
from jobtrack_client._jobs.client import Client
from jobtrack_client.commands.board import NEWEST_LINES, Picture, display_for
from jobtrack_client.commands.errors import HINTS, failure
from jobtrack_client.commands.options import LATEST, Json
from jobtrack_client.commands.output import STYLES, cell, clock, console, present, show_cells, show_json, terminal
from jobtrack_client.commands.service import connected, job_id
from jobtrack_client.types.events import FINAL_STATUSES

if TYPE_CHECKING:
    from rich.table import Table

ALL = "all"
WIDTH = 24
Jobs = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[JOB]...", help="Job ids, or beginnings of ids or names; `all` means every queued or running job."
    ),
]
Every = Annotated[float, typer.Option(min=0.2, help="Seconds between two updates.")]
Show: TypeAlias = Callable[[Sequence[models.TrackedJob]], None]


def watch(jobs: Jobs = None, every: Every = 1.0, as_json: Json = False) -> None:
    """Watch a job until it ends: stages, newest log lines, remaining time. The exit code is 1 unless it completes."""
    with connected() as client:
        ids = [] if jobs == [ALL] else [job_id(client, job) for job in jobs or [LATEST]]
        statuses = (
            _show_one(client, ids[0], every, as_json) if len(ids) == 1 else _show_several(client, ids, every, as_json)
        )
    if any(status != "Completed" for status in statuses):
        raise typer.Exit(1)


def _show_one(client: Client, job: str, every: float, as_json: bool) -> list[str]:
    """Show one job until it ends. Return its final status."""
    statuses = []
    if as_json:
        for progress in client.follow_progress(job, every=every):
            show_json(progress, indent=None)
            statuses = [progress["status"]]
        return [*statuses]
    with display_for(console()) as display:
        for progress in client.follow_progress(job, every=every):
            display.show(Picture(progress, client.logs(job, level="INFO", limit=NEWEST_LINES)["logs"]))
            statuses = [progress["status"]]
    return [*statuses]


def _show_several(client: Client, ids: Sequence[str], every: float, as_json: bool) -> list[str]:
    """Show several jobs, as a table on a terminal."""
    if as_json or not terminal():
        return _show_many(client, ids, every, Changes(), as_json)
    from rich.live import Live

    with Live(console=console(), auto_refresh=False) as live:
        return _show_many(client, ids, every, lambda jobs: live.update(_table(jobs), refresh=True), as_json)


def _show_many(client: Client, ids: Sequence[str], every: float, show: Show, as_json: bool) -> list[str]:
    """Show jobs until they end, and return their final statuses. Without ids, show all open jobs forever."""
    while True:
        batch = client.batch(ids or None, status=None if ids else ["Running", "Queued"])
        if missing := batch.get("notFound"):
            raise failure(f"the project has no job {', '.join(missing)}", HINTS[NotFound])
        jobs = batch["jobs"]
        present(jobs, as_json, show, indent=None)
        statuses = [job["status"] for job in jobs]
        if ids and all(status in FINAL_STATUSES for status in statuses):
            return [*statuses]
        time.sleep(every)


class Changes:
    """Prints a line for each job that is new or has changed."""

    def __init__(self) -> None:
        self._lines: dict[str, tuple[str, ...]] = {}

    def __call__(self, jobs: Sequence[models.TrackedJob]) -> None:
        """Print the changes."""
        for job in jobs:
            line = (job["jobId"], job["jobName"], job["status"], f"{job['progress']} %")
            if self._lines.get(job["jobId"]) != line:
                self._lines[job["jobId"]] = line
                show_cells(line)


def _table(jobs: Sequence[models.TrackedJob]) -> "Table":
    from rich.progress_bar import ProgressBar
    from rich.table import Table
    from rich.text import Text

    table = Table("JOB", "NAME", "", "DONE", "STATUS", "STAGE", "ENDS", box=None, pad_edge=False, header_style="dim")
    for job in jobs:
        status = "Stalled" if job["stalled"] else job["status"]
        table.add_row(
            job["jobId"][:8],
            Text(cell(job["jobName"])),
            ProgressBar(total=100, completed=job["progress"], width=WIDTH),
            f"{job['progress']:3} %",
            Text(status, style=STYLES.get(status, "")),
            Text(cell(job["currentStage"])),
            clock(job["estimatedCompletion"] or job["estimatedStartTime"]),
        )
    return table
