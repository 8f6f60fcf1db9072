"""One job, as it is."""

from collections.abc import Mapping
from typing import Any, cast

from jobtrack_client import models
from jobtrack_client.commands.board import Picture, plain, render
from jobtrack_client.commands.options import LATEST, Job, Json
from jobtrack_client.commands.output import cell, clock, present, show, show_line, terminal
from jobtrack_client.commands.service import connected, job_id


def status(job: Job = LATEST, as_json: Json = False) -> None:
    """Show a job: how far it is, stage by stage, and what remains."""
    with connected() as client:
        wanted = job_id(client, job)
        described, progress = client.get_job(wanted), client.progress(wanted)
    present({**described, **progress}, as_json, _show)


def _show(told: Mapping[str, Any]) -> None:
    described, progress = cast(models.Job, told), cast(models.Progress, told)
    if terminal():
        show(render(Picture(progress)))
    else:
        for line in plain(Picture(progress)):
            show_line(line)
    for line in _rest(described):
        show_line(line)


def _rest(job: models.Job) -> list[str]:
    """What the progress does not tell."""
    told = {
        "job": job["jobId"],
        "type": job["jobType"],
        "submitted": f"{clock(job['createdAt'])} by {job['submittedBy']}, priority {job['priority']}",
        "description": job["jobDescription"],
        "error": (job["error"] or {}).get("message"),
    }
    return [f"{name}: {cell(text)}" for name, text in told.items() if text]
