"""A job's log lines."""

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Annotated

import typer

from jobtrack_client import models
from jobtrack_client._client import Client
from jobtrack_client.commands.options import LATEST, Job, Json, Level, moment
from jobtrack_client.commands.output import STYLES, console, show_json, show_line, terminal, visible
from jobtrack_client.commands.service import connected, job_id

PAGE = 10_000


def logs(
    job: Job = LATEST,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until the job ends.")] = False,
    level: Level = "INFO",
    since: Annotated[
        datetime | None, typer.Option(parser=moment, metavar="TIME", help="Since then, or 10m ago.")
    ] = None,
    lines: Annotated[int, typer.Option("--lines", "-n", min=0, max=PAGE, help="The newest so many; 0 are all.")] = 1000,
    details: Annotated[bool, typer.Option("--details", "-d", help="With the details of each line.")] = False,
    as_json: Json = False,
) -> None:
    """Print a job's log lines, oldest first."""
    with connected() as client:
        for entry in _entries(client, job_id(client, job), follow, level.upper(), since, lines):
            if as_json:
                show_json(entry, indent=None)
            else:
                _show(entry, details)


def _entries(
    client: Client, job: str, follow: bool, level: str, since: datetime | None, lines: int
) -> Iterator[models.LogEntry]:
    """Those that are there, then, if they are followed, each one that comes."""
    seen = client.logs(job, level=level, limit=1)["lastSequence"] if follow else 0
    if lines and since is None:
        yield from client.logs(job, level=level, limit=lines)["logs"]
    else:
        yield from client.iter_logs(job, level=level, from_time=since)
    if follow:
        yield from client.follow_logs(job, level=level, since_sequence=seen)


def _show(entry: models.LogEntry, details: bool) -> None:
    more = f" {json.dumps(entry['details'], ensure_ascii=False)}" if details and entry["details"] else ""
    stage = f" [{entry['stage']}]" if entry["stage"] else ""
    where, message = visible(f"{entry['component'] or '-'}{stage}"), visible(f"{entry['message']}{more}")
    if not terminal():
        return show_line(f"{entry['timestamp']} {entry['level']} {where} {message}")
    from rich.text import Text

    style = STYLES.get(entry["level"], "")
    time = datetime.fromisoformat(entry["timestamp"]).astimezone().strftime("%H:%M:%S")
    line = Text.assemble((f"{time} ", "dim"), (f"{entry['level']:5} ", style), (f"{where} ", "dim"), message)
    console().print(line, soft_wrap=True)


COMMANDS = {"logs": logs}
