"""What commands print: for people on a terminal; elsewhere plain lines, columns apart by tabs, nothing cut off."""

import json
import sys
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

STYLES = {
    "WARN": "yellow",
    "ERROR": "bold red",
    "DEBUG": "dim",
    "Running": "cyan",
    "Completed": "green",
    "Failed": "bold red",
    "Cancelled": "yellow",
    "Delivered": "green",
    "Pending": "yellow",
    "Active": "green",
}


_CONTROLS = {code: repr(chr(code))[1:-1] for code in (*range(0x20), *range(0x7F, 0xA0)) if code != ord("\t")}


def console() -> "Console":
    """Where to draw."""
    from rich.console import Console

    return Console()


def terminal() -> bool:
    """Whether somebody looks on."""
    return sys.stdout.isatty()


def show_json(value: object, *, indent: int | None = 2) -> None:
    """JSON as it came; without `indent` on one line."""
    print(json.dumps(value, ensure_ascii=False, indent=indent), flush=indent is None)


def show_line(text: str) -> None:
    """A line, at once."""
    print(text, flush=True)


def show(drawn: "RenderableType") -> None:
    """What rich draws."""
    console().print(drawn)


def show_rows(columns: Sequence[str], rows: Iterable[Sequence[object]], nothing: str) -> None:
    """A table: on a terminal with a head, and `nothing` where there are no rows."""
    texts = [[cell(value) for value in row] for row in rows]
    if not terminal():
        for row in texts:
            print("\t".join(row))
        return
    if not texts:
        print(nothing)
        return
    show(table(columns, texts))


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> "RenderableType":
    """The table that a terminal shows; words that say how things are have their colour."""
    from rich.table import Table
    from rich.text import Text

    drawn = Table(*columns, box=None, pad_edge=False, header_style="dim")
    for row in rows:
        drawn.add_row(*(Text(text, style=STYLES.get(text, ""), overflow="fold") for text in row))
    return drawn


def visible(text: str) -> str:
    """The text with its control characters written out, so that a worker's text cannot command a terminal."""
    return text.translate(_CONTROLS)


def cell(value: object) -> str:
    """A value as text on one line; what is not known is `-`."""
    if value is None or value == "":
        return "-"
    return visible(" ".join(str(value).split()))


def short(job_id: str) -> str:
    """As much of an id as a person needs; all of it where a program reads it."""
    return job_id[:8] if terminal() else job_id


def clock(time: str | None) -> str:
    """A time of the service, in this machine's zone."""
    return "-" if time is None else datetime.fromisoformat(time).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def percent(value: float | None) -> str | None:
    """`85 %`."""
    return None if value is None else f"{value:g} %"
