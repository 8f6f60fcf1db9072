"""The command `logs`."""

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from functools import partial
from typing import Annotated, Any

import typer

from jobtrack_client import models
from jobtrack_client._jobs.client import Client
from jobtrack_client._runtime.visible_text import visible
from jobtrack_client.commands.options import LATEST, Job, Json, LevelOption, moment
from jobtrack_client.commands.output import STYLES, clock, console, present, show_line, terminal
from jobtrack_client.commands.service import connected, job_id
from jobtrack_client.types import LogLevel

PAGE = 10_000


def logs(
    job: Job = LATEST,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Show new lines until the job ends.")] = False,
    level: LevelOption = "INFO",
    since: Annotated[
        datetime | None,
        typer.Option(parser=moment, metavar="TIME", help="Show lines since this time, or this long ago (10m)."),
    ] = None,
    lines: Annotated[
        int, typer.Option("--lines", "-n", min=0, max=PAGE, help="Show the newest N lines (0 = all).")
    ] = 1000,
    details: Annotated[bool, typer.Option("--details", "-d", help="Show the details of each line.")] = False,
    as_json: Json = False,
) -> None:
    """Print the log lines of a job, oldest first."""
    with connected() as client:
        for entry in _entries(client, job_id(client, job), follow, level, since, lines):
            more = json.dumps(entry["details"], ensure_ascii=False) if details and entry["details"] else ""
            present(entry, as_json, partial(_show, more=more), indent=None, tabs=True)


def _entries(
    client: Client, job: str, follow: bool, level: LogLevel, since: datetime | None, lines: int
) -> Iterator[models.LogEntry]:
    """Iterate over the existing lines, and with `follow` over the new ones.

    Lines up to the last sequence of the first page count as existing, even if new lines arrive while they are read.
    """
    newest = lines if since is None else 0
    direction = "backward" if newest else "forward"
    query: dict[str, Any] = {"level": level, "from_time": since, "limit": newest or PAGE, "direction": direction}
    first = client.logs(job, **query)
    seen = first["lastSequence"]
    pages = _pages(client, job, first, query)
    existing = _newest(pages, newest) if newest else (entry for page in pages for entry in page["logs"])
    yield from (entry for entry in existing if entry["sequence"] <= seen)
    if follow:
        yield from client.follow_logs(job, level=level, from_time=since, since_sequence=seen)


def _pages(client: Client, job: str, page: models.Logs, query: Mapping[str, Any]) -> Iterator[models.Logs]:
    """Iterate over a page and the following pages in its direction."""
    yield page
    while (cursor := page["nextCursor"]) is not None:
        page = client.logs(job, cursor=cursor, **query)
        yield page


def _newest(pages: Iterable[models.Logs], count: int) -> list[models.LogEntry]:
    """Return the newest `count` lines, from pages that go back in time and may hold fewer lines than their limit."""
    lines: list[models.LogEntry] = []
    for page in pages:
        lines[:0] = page["logs"]
        if len(lines) >= count:
            break
    return lines[-count:]


def _show(entry: models.LogEntry, more: str) -> None:
    stage = f" [{entry['stage']}]" if entry["stage"] else ""
    where, message = f"{entry['component'] or '-'}{stage}", visible(f"{entry['message']} {more}".rstrip(), tabs=True)
    if not terminal():
        return show_line(f"{entry['timestamp']} {entry['level']} {where} {message}")
    from rich.text import Text

    style = STYLES.get(entry["level"], "")
    time = clock(entry["timestamp"], "%H:%M:%S")
    line = Text.assemble((f"{time} ", "dim"), (f"{entry['level']:5} ", style), (f"{where} ", "dim"), message)
    console().print(line, soft_wrap=True)
