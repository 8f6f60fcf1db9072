"""The command `run`."""

import os
import platform
from collections.abc import Callable
from typing import Annotated
from uuid import uuid4

import typer

from jobtrack_client._jobs.client import Client
from jobtrack_client._reporting.options import ReporterOptions
from jobtrack_client._run_command.command import Sampler, run
from jobtrack_client.commands.errors import failure
from jobtrack_client.commands.output import notice
from jobtrack_client.types import Allocation

Command = Annotated[list[str], typer.Argument(metavar="-- COMMAND", help="The command to run, with its arguments.")]
Tags = Annotated[
    list[str] | None,
    typer.Option("--tag", metavar="NAME=TEXT", help="Add this to the job's metadata. May be repeated."),
]


def run_command(
    command: Command,
    name: Annotated[
        str | None, typer.Option("--name", "-n", help="The name of the job. [default: the name of the command]")
    ] = None,
    job_type: Annotated[
        str | None,
        typer.Option(
            "--type", "-t", help="The type of the job, which groups similar jobs for estimates. [default: its name]"
        ),
    ] = None,
    tag: Tags = None,
    every: Annotated[float, typer.Option(min=0.5, help="Seconds between two samples of CPU and memory.")] = 5.0,
    wait: Annotated[
        float, typer.Option(min=0, help="Seconds to wait for an unreachable service after the command has ended.")
    ] = 15.0,
) -> None:
    """Run a command as a tracked job. Its output becomes the log, and its exit code the result."""
    metadata = dict(map(_pair, tag)) if tag else None
    job_name = name or os.path.basename(command[0])
    allocated: Allocation = {"cpu_units": os.cpu_count(), "worker_node": platform.node() or None}
    # The command starts at once, even if the service is unreachable.
    options = ReporterOptions(create_seconds=0, close_seconds=wait)
    with Client() as client:
        job = client.job(
            job_name,
            job_type=job_type or job_name,
            # A new job, also under another `jobtrack run`.
            job_id=str(uuid4()),
            metadata=metadata,
            resources_allocated=allocated,
            options=options,
        )
        ending = run(job, command, _sampler(), every=every)
    if not ending.begun:
        notice(f"jobtrack: {ending.reason}")
    raise typer.Exit(ending.code)


def _sampler() -> Callable[[int], Sampler] | None:
    try:
        from jobtrack_client._run_command.usage import Usage
    except ModuleNotFoundError:
        notice(
            "jobtrack: CPU and memory are not reported, because psutil is missing: pip install 'jobtrack-client[run]'"
        )
        return None
    return Usage


def _pair(tag: str) -> tuple[str, str]:
    name, equals, value = tag.partition("=")
    if not name or not equals:
        raise failure(f"a tag must be NAME=TEXT, not {tag!r}")
    return name, value
