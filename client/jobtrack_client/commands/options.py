"""Options and arguments that several commands have."""

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated, cast

import typer

from jobtrack_client.types import EventName, LogLevel

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_DURATION = re.compile(r"([0-9]+)([smhdw])")


def duration(text: str) -> int:
    """Seconds of `90s`, `10m`, `8h`, `2d` or `1w`.

    Raises:
        typer.BadParameter: it is none.
    """
    if found := _DURATION.fullmatch(text):
        return int(found[1]) * _UNITS[found[2]]
    raise typer.BadParameter(f"{text!r} is no duration such as 90s, 10m, 8h or 2d")


def moment(text: str) -> datetime:
    """The time that is meant: RFC 3339, or so long ago as `10m` says.

    Raises:
        typer.BadParameter: it is none.
    """
    if _DURATION.fullmatch(text):
        return datetime.now(UTC) - timedelta(seconds=duration(text))
    try:
        told = datetime.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(
            f"{text!r} is no time such as 2026-01-20T10:30:00Z, and no duration such as 10m"
        ) from error
    return told.astimezone()


Json = Annotated[bool, typer.Option("--json", help="Print JSON, as the service answered it.")]
Job = Annotated[
    str,
    typer.Argument(metavar="[JOB]", help="Its id, or how its id or name begins."),
]
LevelOption = Annotated[LogLevel, typer.Option("--level", "-l", case_sensitive=False, help="The lowest level to show.")]
Events = Annotated[
    list[str] | None, typer.Option("--event", "-e", help="An event such as stageCompleted; may be repeated.")
]
LATEST = "latest"


def event_names(names: list[str] | None) -> list[EventName] | None:
    """Return the names of events. They are checked when the subscription is made."""
    return cast("list[EventName] | None", names)
