"""Options and arguments of several commands."""

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, get_args

import typer

from jobtrack_client.types import EventName, LogLevel

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_DURATION = re.compile(r"([0-9]+)([smhdw])")


def duration(text: str) -> int:
    """Return the seconds of a duration such as `90s`, `10m`, `8h`, `2d` or `1w`.

    Raises:
        typer.BadParameter: the text is not a duration.
    """
    if match := _DURATION.fullmatch(text):
        return int(match[1]) * _UNITS[match[2]]
    raise typer.BadParameter(f"{text!r} is not a duration such as 90s, 10m, 8h or 2d")


def moment(text: str) -> datetime:
    """Parse a time in RFC 3339, or a duration before now such as `10m`.

    Raises:
        typer.BadParameter: the text is neither.
    """
    try:
        if _DURATION.fullmatch(text):
            return datetime.now(UTC) - timedelta(seconds=duration(text))
        return datetime.fromisoformat(text).astimezone()
    except (ValueError, OverflowError) as error:
        raise typer.BadParameter(
            f"{text!r} is neither a time such as 2026-01-20T10:30:00Z nor a duration such as 10m"
        ) from error


def event_name(text: str) -> str:
    """Return the name of an event.

    Raises:
        typer.BadParameter: there is no such event.
    """
    if text in get_args(EventName):
        return text
    raise typer.BadParameter(f"{text!r} is not one of {', '.join(get_args(EventName))}")


Json = Annotated[bool, typer.Option("--json", help="Print the service's response as JSON.")]
Job = Annotated[
    str,
    typer.Argument(metavar="[JOB]", help="The job's id, or the beginning of its id or name."),
]
LevelOption = Annotated[LogLevel, typer.Option("--level", "-l", case_sensitive=False, help="The lowest level to show.")]
Events = Annotated[
    list[Any] | None,  # event names; typer cannot take a list of Literals
    typer.Option(
        "--event",
        "-e",
        parser=event_name,
        metavar="EVENT",
        help="Only this event, such as stageCompleted. May be repeated.",
    ),
]
LATEST = "latest"
