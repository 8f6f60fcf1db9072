"""The commands `jobs` and `queue`."""

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
        list[str] | None,
        typer.Option("--status", "-s", help="Show jobs with this status, such as Running. May be repeated."),
    ] = None,
    job_type: Annotated[str | None, typer.Option("--type", "-t", help="Show jobs of this type.")] = None,
    submitted_by: Annotated[str | None, typer.Option("--by", help="Show jobs that this user submitted.")] = None,
    since: Annotated[
        datetime | None,
        typer.Option(parser=moment, metavar="TIME", help="Show jobs created since this time, or this long ago (2h)."),
    ] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="Show at most N jobs.")] = 20,
    as_json: Json = False,
) -> None:
    """List the newest jobs."""
    with connected() as client:
        filters: dict[str, Any] = {"status": status, "job_type": job_type, "submitted_by": submitted_by}
        newest = list(islice(client.iter_jobs(**filters, from_time=since), limit))
    present(newest, as_json, _show_jobs)


def _show_jobs(jobs: list[models.Job]) -> None:
    rows = [
        (
            *(short(job["jobId"]), job["jobName"], job["jobType"], "Stalled" if job["stalled"] else job["status"]),
            percent(job["progress"]["percentage"]),
            *(job["progress"]["currentStage"], clock(job["createdAt"]), job["progress"]["elapsedTime"]),
        )
        for job in jobs
    ]
    show_rows(COLUMNS, rows, "No jobs.")


def queue(as_json: Json = False) -> None:
    """Show the queued jobs, their expected starts, and the capacity of the workers."""
    with connected() as client:
        page = queue = client.queue(limit=200)
        while page["nextCursor"] is not None:
            page = client.queue(limit=200, cursor=page["nextCursor"])
            queue["queuedJobs"] += page["queuedJobs"]
    queue["nextCursor"] = None
    present(queue, as_json, _show_queue)


def _show_queue(queue: models.Queue) -> None:
    capacity, waiting = queue["processingCapacity"], queue["summary"]
    if terminal():
        load = "" if capacity["currentLoad"] is None else f", load {capacity['currentLoad']:g} %"
        mean = "" if waiting["averageWaitTime"] is None else f", average wait {waiting['averageWaitTime']}"
        running = f"{capacity['currentlyRunning']} running on {capacity['activeWorkers']} workers{load}"
        show_line(f"{waiting['totalQueuedJobs']} waiting{mean}; {running}")
    rows = [
        (
            *(job["queuePosition"], short(job["jobId"]), job["jobName"], job["priority"]),
            *(clock(job["estimatedStartTime"]), job["estimatedDuration"], job["submittedBy"]),
        )
        for job in queue["queuedJobs"]
    ]
    show_rows(QUEUE_COLUMNS, rows, "No jobs are queued.")
