"""Prints the output of commands: for people on a terminal, otherwise as lines with columns separated by tabs.

All output goes through these functions, so that a worker's text can neither control the terminal nor break its line.
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
"""The characters that `json.dumps` does not escape. It escapes lower control characters."""


def replace_unprintable() -> None:
    """Print `?` instead of characters that the terminal's encoding does not have."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")


def printable(text: str) -> bool:
    """Return whether the encoding of standard output has every character of a text."""
    try:
        text.encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except UnicodeEncodeError:
        return False
    return True


def console() -> "Console":
    """Return a console that prints texts without interpreting markup."""
    from rich.console import Console

    return Console(markup=False, emoji=False, highlight=False)


def terminal() -> bool:
    """Return whether standard output is a terminal."""
    return sys.stdout.isatty()


def present(
    response: T, as_json: bool, draw: Callable[[T], None], *, indent: int | None = 2, tabs: bool = False
) -> None:
    """Print a response as JSON, or with `draw` after making its texts harmless."""
    if as_json:
        show_json(response, indent=indent)
    else:
        draw(harmless(response, tabs=tabs))


def show_json(value: object, *, indent: int | None = 2) -> None:
    """Print JSON, on one line without `indent`."""
    text = json.dumps(value, ensure_ascii=False, indent=indent).translate(_JSON_ESCAPES)
    print(text if printable(text) else json.dumps(value, indent=indent), flush=indent is None)


def show_line(text: str) -> None:
    """Print a line, which may contain tabs."""
    print(visible(text, tabs=True), flush=True)


def show_cells(values: Iterable[object]) -> None:
    """Print a line of columns, separated by tabs."""
    print("\t".join(map(cell, values)), flush=True)


def notice(text: str) -> None:
    """Print a line on standard error."""
    print(visible(text), file=sys.stderr, flush=True)


def show(drawn: "RenderableType") -> None:
    """Print an object of rich."""
    console().print(drawn)


def show_rows(columns: Sequence[str], rows: Iterable[Sequence[object]], empty: str) -> None:
    """Print a table. A terminal shows a header, and the text `empty` if there are no rows."""
    texts = [[cell(value) for value in row] for row in rows]
    if not terminal():
        for row in texts:
            print("\t".join(row))
        return
    if not texts:
        print(empty)
        return
    show(table(columns, texts))


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> "RenderableType":
    """Return a table for a terminal. Statuses have colours."""
    from rich.table import Table
    from rich.text import Text

    drawn = Table(*columns, box=None, pad_edge=False, header_style="dim")
    for row in rows:
        drawn.add_row(*(Text(text, style=STYLES.get(text, ""), overflow="fold") for text in row))
    return drawn


def cell(value: object) -> str:
    """Return a value as the text of a column, `-` if it is unknown."""
    if value is None or value == "":
        return "-"
    return visible(str(value))


def short(job_id: str) -> str:
    """Return an id, shortened to its beginning on a terminal."""
    return job_id[:8] if terminal() else job_id


def clock(time: str | None, form: str = "%Y-%m-%d %H:%M:%S") -> str:
    """Return a time in this machine's time zone, or unchanged if it cannot be parsed."""
    if time is None:
        return "-"
    moment = read_time(time)
    return time if moment is None else moment.strftime(form)


def read_time(time: str) -> datetime | None:
    """Parse a time, and return it in this machine's time zone; None if that is not possible."""
    try:
        return datetime.fromisoformat(time).astimezone()
    except (ValueError, OverflowError, OSError):  # OSError: Windows has no local time before 1970
        return None


def percent(value: float | None) -> str | None:
    """Return a percentage such as `85 %`."""
    return None if value is None else f"{value:g} %"
