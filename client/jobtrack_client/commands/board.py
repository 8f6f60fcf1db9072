"""Shows a running job: live on a terminal, as plain lines elsewhere."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import IO, TYPE_CHECKING, Protocol, Self

from jobtrack_client import models
from jobtrack_client._runtime.visible_text import harmless, visible
from jobtrack_client.commands.output import STYLES

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.table import Table
    from rich.text import Text

NEWEST_LINES = 8


@dataclass
class Picture:
    """The state of a job at one moment: its progress, its newest log lines (oldest first), and a note.

    The texts come from the worker, so they are made harmless.
    """

    progress: models.Progress
    lines: Sequence[models.LogEntry] = ()
    note: str = ""
    alarming: bool = False

    def __post_init__(self) -> None:
        """Make all texts harmless."""
        self.progress, self.lines, self.note = harmless(self.progress), harmless(self.lines), visible(self.note)


class Display(Protocol):
    """Shows one picture after another."""

    def __enter__(self) -> Self:
        """Begin."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """End, and leave the last picture visible."""

    def show(self, picture: Picture) -> None:
        """Show the changes."""


def display_for(console: "Console") -> Display:
    """Return a live display for a terminal, and plain lines otherwise."""
    return Board(console) if console.is_terminal else Lines(console.file)


class Board:
    """A live display of a job."""

    def __init__(self, console: "Console") -> None:
        from rich.live import Live

        # A picture that is higher than the terminal is cut, because it could not be drawn over. The last one is whole.
        self._live = Live(console=console, auto_refresh=False, vertical_overflow="ellipsis")

    def __enter__(self) -> Self:
        """Begin."""
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """End, and leave the last picture visible."""
        self._live.stop()

    def show(self, picture: Picture) -> None:
        """Draw the picture."""
        self._live.update(render(picture), refresh=True)


@dataclass
class Lines:
    """Prints a line for each change: log lines, stages that begin or end, and every 10 % of progress with the note."""

    file: IO[str]
    _written: set[int] = field(default_factory=set)
    _states: dict[str, str] = field(default_factory=dict)

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Do nothing, because everything was written."""

    def show(self, picture: Picture) -> None:
        """Print the changes since the last picture."""
        for line in picture.lines:
            if line["sequence"] not in self._written:
                self._written.add(line["sequence"])
                self._print(f"{line['timestamp'][:19]}Z {line['level']:5} {_text(line)}")
        for name, state, text in _parts(picture):
            if self._states.get(name) != state:
                self._states[name] = state
                self._print(text)

    def _print(self, text: str) -> None:
        print(text, file=self.file, flush=True)


def plain(picture: Picture) -> list[str]:
    """Return a picture as lines, without log lines."""
    return [text for _, _, text in _parts(picture)]


def render(picture: Picture) -> "RenderableType":
    """Return a picture for rich."""
    from rich.console import Group
    from rich.panel import Panel
    from rich.text import Text

    progress = picture.progress
    title = f"{progress['jobName']} · {_status(progress)} · {progress['overallProgress']['percentage']} %"
    parts: list[RenderableType] = [_stages(progress["stages"]), Text(_activity(progress), style="dim")]
    if picture.lines:
        parts.append(_newest(picture.lines))
    if picture.note:
        parts.append(Text(picture.note, style="bold red" if picture.alarming else "green"))
    border = STYLES.get(progress["status"], "blue")
    return Panel(Group(*parts), title=Text(title), subtitle=Text(_remaining(progress)), border_style=border)


def _parts(picture: Picture) -> Iterator[tuple[str, str, str]]:
    """Iterate over the parts that may change: name, state, and line."""
    progress = picture.progress
    for stage in progress["stages"]:
        if stage["status"] != "Pending":
            name = f"stage {stage['stageName']}"
            yield name, stage["status"], f"{name}: {stage['status']} {_records(stage)}".rstrip()
    percentage = progress["overallProgress"]["percentage"]
    state = f"job: {_status(progress)} {percentage // 10 * 10} %"
    yield "job", state, f"{progress['jobName']}: {_status(progress)} {percentage} %, {_remaining(progress)}"
    if picture.note:
        yield "note", f"{state} {picture.alarming}", picture.note


def _status(progress: models.Progress) -> str:
    return f"{progress['status']}, stalled" if progress["stalled"] else progress["status"]


def _stages(stages: Sequence[models.Stage]) -> "Table":
    from rich.progress_bar import ProgressBar
    from rich.table import Table

    table = Table.grid(padding=(0, 1))
    for stage in stages:
        bar = ProgressBar(total=100, completed=stage["progress"], width=12)
        status = _one_line(stage["status"], STYLES.get(stage["status"], ""))
        name, records = _one_line(stage["stageName"]), _one_line(_records(stage))
        table.add_row(name, bar, f"{stage['progress']:3} %", status, records)
    return table


def _one_line(text: str, style: str = "") -> "Text":
    """Return a text that is cut instead of wrapped."""
    from rich.text import Text

    return Text(text, style=style, no_wrap=True, overflow="ellipsis")


def _records(stage: models.Stage) -> str:
    done, total = stage["recordsProcessed"], stage["totalRecords"]
    duration = f"in {stage['duration']}" if stage["duration"] else ""
    if done is None:
        return duration
    whole = f" of {total:,}" if total is not None and total != done else ""
    return f"{done:,}{whole} {duration}".rstrip()


def _activity(progress: models.Progress) -> str:
    usage, operation = progress["resourceUsage"], progress["currentActivity"]["operation"]
    cpu = None if usage["cpuUsage"] is None else f"CPU {usage['cpuUsage']} %"
    return " · ".join(str(part) for part in (operation, cpu, usage["memoryUsage"], usage["processingRate"]) if part)


def _remaining(progress: models.Progress) -> str:
    overall = progress["overallProgress"]
    elapsed = f"{overall['elapsedTime']} elapsed" if overall["elapsedTime"] else "not started"
    if progress["status"] != "Running":
        return elapsed
    return f"{elapsed}, {overall['estimatedRemaining'] or 'an unknown time'} remaining"


def _newest(lines: Sequence[models.LogEntry]) -> "Text":
    text = _one_line("")
    for line in lines[-NEWEST_LINES:]:
        text.append(f"{line['timestamp'][11:19]} {line['level']:5} ", style=STYLES.get(line["level"], "dim"))
        text.append(f"{_text(line)}\n")
    text.rstrip()
    return text


def _text(line: models.LogEntry) -> str:
    return f"{line['component'] or '-'}: {line['message']}"
