"""The command `status`."""

from collections.abc import Mapping
from typing import Any, cast

from jobtrack_client import models
from jobtrack_client.commands.board import Picture, plain, render
from jobtrack_client.commands.options import LATEST, Job, Json
from jobtrack_client.commands.output import cell, clock, present, show, show_line, terminal
from jobtrack_client.commands.service import connected, job_id


def status(job: Job = LATEST, as_json: Json = False) -> None:
    """Show a job: its progress, its stages, and the remaining time."""
    with connected() as client:
        identity = job_id(client, job)
        details, progress = client.get_job(identity), client.progress(identity)
    present({**details, **progress}, as_json, _show)


def _show(response: Mapping[str, Any]) -> None:
    details, progress = cast(models.Job, response), cast(models.Progress, response)
    if terminal():
        show(render(Picture(progress)))
    else:
        for line in plain(Picture(progress)):
            show_line(line)
    for line in _details(details):
        show_line(line)


def _details(job: models.Job) -> list[str]:
    """Return lines for the details that the progress lacks."""
    texts = {
        "job": job["jobId"],
        "type": job["jobType"],
        "submitted": f"{clock(job['createdAt'])} by {job['submittedBy']}, priority {job['priority']}",
        "description": job["jobDescription"],
        "error": (job["error"] or {}).get("message"),
    }
    return [f"{name}: {cell(text)}" for name, text in texts.items() if text]
