"""What a job waits for, and what waits for it."""

from typing import TYPE_CHECKING, Annotated

import typer

from jobtrack_client import models
from jobtrack_client.commands.options import LATEST, Job, Json
from jobtrack_client.commands.output import STYLES, cell, present, show, show_cells, terminal
from jobtrack_client.commands.service import connected, job_id

if TYPE_CHECKING:
    from rich.tree import Tree

Row = tuple[str | None, ...]


def deps(
    job: Job = LATEST,
    depth: Annotated[int, typer.Option(min=1, max=10, help="How far to walk.")] = 10,
    as_json: Json = False,
) -> None:
    """Show what a job waits for, what it uses, what blocks it, and what waits for it."""
    with connected() as client:
        answer = client.dependencies(job_id(client, job), depth=depth)
    present(answer, as_json, _show)


def _show(answer: models.Dependencies) -> None:
    if terminal():
        return show(_tree(answer))
    for title, rows in _groups(answer).items():
        for row in rows:
            show_cells((title, *row))


def _groups(answer: models.Dependencies) -> dict[str, list[Row]]:
    """Under each title, what there is: its status last."""
    lists = answer["dependencies"]
    return {
        "waits for": [
            (job["jobId"], job["jobName"], job["dependency"], job["status"]) for job in lists["prerequisiteJobs"]
        ],
        "uses": [
            (each["resourceType"], each["resourceName"] or each["resourceId"], each["status"])
            for each in lists["resourceDependencies"]
        ],
        "blocked by": [
            (each["condition"], each["resolution"], each["status"]) for each in answer["blockingConditions"]
        ],
        "is waited for by": [
            (job["jobId"], job["jobName"], job["waitingFor"], job["status"]) for job in lists["dependentJobs"]
        ],
    }


def _tree(answer: models.Dependencies) -> "Tree":
    from rich.text import Text
    from rich.tree import Tree

    own = next((each["jobName"] for each in answer["dependencyGraph"]["nodes"] if each["id"] == answer["jobId"]), None)
    tree = Tree(Text(cell(f"{own or ''} {answer['jobId']}"), style="bold"))
    for title, rows in _groups(answer).items():
        branch = tree.add(Text(title if rows else f"{title}: nothing", style="dim"))
        for *what, state in rows:
            text = Text(" · ".join(cell(part) for part in what if part))
            branch.add(text.append(f" {state or 'unknown'}", style=STYLES.get(state or "", "")))
    return tree
