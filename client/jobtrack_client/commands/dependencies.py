"""The command `deps`."""

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
    depth: Annotated[int, typer.Option(min=1, max=10, help="Follow dependencies up to N steps.")] = 10,
    as_json: Json = False,
) -> None:
    """Show what a job waits for and uses, what blocks it, and which jobs wait for it."""
    with connected() as client:
        dependencies = client.dependencies(job_id(client, job), depth=depth)
    present(dependencies, as_json, _show)


def _show(dependencies: models.Dependencies) -> None:
    if terminal():
        return show(_tree(dependencies))
    for title, rows in _groups(dependencies).items():
        for row in rows:
            show_cells((title, *row))


def _groups(dependencies: models.Dependencies) -> dict[str, list[Row]]:
    """Return the rows under each title. The last column is the status."""
    lists = dependencies["dependencies"]
    return {
        "waits for": [
            (job["jobId"], job["jobName"], job["dependency"], job["status"]) for job in lists["prerequisiteJobs"]
        ],
        "uses": [
            (resource["resourceType"], resource["resourceName"] or resource["resourceId"], resource["status"])
            for resource in lists["resourceDependencies"]
        ],
        "blocked by": [
            (blocker["condition"], blocker["resolution"], blocker["status"])
            for blocker in dependencies["blockingConditions"]
        ],
        "is waited for by": [
            (job["jobId"], job["jobName"], job["waitingFor"], job["status"]) for job in lists["dependentJobs"]
        ],
    }


def _tree(dependencies: models.Dependencies) -> "Tree":
    from rich.text import Text
    from rich.tree import Tree

    name = next(
        (node["jobName"] for node in dependencies["dependencyGraph"]["nodes"] if node["id"] == dependencies["jobId"]),
        None,
    )
    tree = Tree(Text(cell(f"{name or ''} {dependencies['jobId']}"), style="bold"))
    for title, rows in _groups(dependencies).items():
        branch = tree.add(Text(title if rows else f"{title}: nothing", style="dim"))
        for *texts, state in rows:
            label = Text(" · ".join(cell(text) for text in texts if text))
            branch.add(label.append(f" {state or 'unknown'}", style=STYLES.get(state or "", "")))
    return tree
