"""Lists of jobs: all of them, and those that wait."""

from datetime import datetime
from itertools import islice
from typing import Annotated, Any

import typer

from jobtrack_client import models
from jobtrack_client.commands.options import Json, moment
from jobtrack_client.commands.output import clock, percent, present, short, show_line, show_rows, terminal
from jobtrack_client.commands.service import connected

COLUMNS = ("JOB", "NAME", "TYPE", "STATUS", "DONE", "STAGE", "CREATED", "ELAPSED")
QUEUE_COLUMNS = ("#", "JOB", "NAME", "PRIORITY", "STARTS", "TAKES", "SUBMITTED BY")


def jobs(
    status: Annotated[
        list[str] | None, typer.Option("--status", "-s", help="Such as Running; may be repeated.")
    ] = None,
    job_type: Annotated[str | None, typer.Option("--type", "-t", help="Of this type.")] = None,
    submitted_by: Annotated[str | None, typer.Option("--by", help="Submitted by.")] = None,
    since: Annotated[
        datetime | None, typer.Option(parser=moment, metavar="TIME", help="Created since, or 2h ago.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="At most so many.")] = 20,
    as_json: Json = False,
) -> None:
    """List the newest jobs."""
    with connected() as client:
        wanted: dict[str, Any] = {"status": status, "job_type": job_type, "submitted_by": submitted_by}
        found = list(islice(client.iter_jobs(**wanted, from_time=since), limit))
    present(found, as_json, _show_jobs)


def _show_jobs(found: list[models.Job]) -> None:
    rows = [
        (
            *(short(job["jobId"]), job["jobName"], job["jobType"], "Stalled" if job["stalled"] else job["status"]),
            percent(job["progress"]["percentage"]),
            *(job["progress"]["currentStage"], clock(job["createdAt"]), job["progress"]["elapsedTime"]),
        )
        for job in found
    ]
    show_rows(COLUMNS, rows, "No jobs.")


def queue(as_json: Json = False) -> None:
    """Show the jobs that wait, when each is expected to start, and what the workers can take."""
    with connected() as client:
        page = answer = client.queue(limit=200)
        while page["nextCursor"] is not None:
            page = client.queue(limit=200, cursor=page["nextCursor"])
            answer["queuedJobs"] += page["queuedJobs"]
    answer["nextCursor"] = None
    present(answer, as_json, _show_queue)


def _show_queue(answer: models.Queue) -> None:
    capacity, waiting = answer["processingCapacity"], answer["summary"]
    if terminal():
        load = "" if capacity["currentLoad"] is None else f", load {capacity['currentLoad']:g} %"
        mean = "" if waiting["averageWaitTime"] is None else f", mean wait {waiting['averageWaitTime']}"
        running = f"{capacity['currentlyRunning']} running on {capacity['activeWorkers']} workers{load}"
        show_line(f"{waiting['totalQueuedJobs']} waiting{mean}; {running}")
    rows = [
        (
            *(job["queuePosition"], short(job["jobId"]), job["jobName"], job["priority"]),
            *(clock(job["estimatedStartTime"]), job["estimatedDuration"], job["submittedBy"]),
        )
        for job in answer["queuedJobs"]
    ]
    show_rows(QUEUE_COLUMNS, rows, "Nobody waits.")
