"""What commands print: for people on a terminal; elsewhere plain lines, columns apart by tabs, nothing cut off.

Whatever the service answered leaves through `present`, and whatever else is printed through the other functions here:
none lets a worker's text command a terminal, or break its line.
"""

import io
import json
import sys
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, TypeVar

from jobtrack_client._runtime.visible_text import UNSAFE, harmless, visible

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

T = TypeVar("T")

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
_JSON_ESCAPES = {code: f"\\u{code:04x}" for code in UNSAFE if code > 0x20}
"""What `json.dumps` leaves as it is; below, it leaves only the ends of lines between members."""


def replace_unprintable() -> None:
    """Print `?` for what the terminal's encoding does not have, instead of failing."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")


def printable(text: str) -> bool:
    """Whether standard output's encoding has every character of the text."""
    try:
        text.encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except UnicodeEncodeError:
        return False
    return True


def console() -> "Console":
    """Where to draw: texts are drawn as they are, whatever markup they hold."""
    from rich.console import Console

    return Console(markup=False, emoji=False, highlight=False)


def terminal() -> bool:
    """Whether somebody looks on."""
    return sys.stdout.isatty()


def present(answer: T, as_json: bool, draw: Callable[[T], None], *, indent: int | None = 2, tabs: bool = False) -> None:
    """Print what the service answered: as JSON, or drawn, with all its texts made harmless."""
    if as_json:
        show_json(answer, indent=indent)
    else:
        draw(harmless(answer, tabs=tabs))


def show_json(value: object, *, indent: int | None = 2) -> None:
    """JSON as it came; without `indent` on one line."""
    text = json.dumps(value, ensure_ascii=False, indent=indent).translate(_JSON_ESCAPES)
    print(text if printable(text) else json.dumps(value, indent=indent), flush=indent is None)


def show_line(text: str) -> None:
    """A line, at once; it may have tabs."""
    print(visible(text, tabs=True), flush=True)


def show_cells(values: Iterable[object]) -> None:
    """A line of columns apart by tabs, at once."""
    print("\t".join(map(cell, values)), flush=True)


def notice(text: str) -> None:
    """A line on standard error."""
    print(visible(text), file=sys.stderr, flush=True)


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


def cell(value: object) -> str:
    """A value as the text of one column; what is not known is `-`."""
    if value is None or value == "":
        return "-"
    return visible(str(value))


def short(job_id: str) -> str:
    """As much of an id as a person needs; all of it where a program reads it."""
    return job_id[:8] if terminal() else job_id


def clock(time: str | None, form: str = "%Y-%m-%d %H:%M:%S") -> str:
    """A time of the service, in this machine's zone; as it is, if it cannot be read."""
    if time is None:
        return "-"
    moment = read_time(time)
    return time if moment is None else moment.strftime(form)


def read_time(time: str) -> datetime | None:
    """A time of the service, in this machine's zone; None if it is none."""
    try:
        return datetime.fromisoformat(time).astimezone()
    except (ValueError, OverflowError, OSError):  # OSError: Windows has no local time before 1970
        return None


def percent(value: float | None) -> str | None:
    """`85 %`."""
    return None if value is None else f"{value:g} %"
