"""How the demo shows the job: live on a terminal, as plain lines elsewhere."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import IO, Protocol, Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from local.demo.answers import LineAnswer, ProgressAnswer, StageAnswer
from local.demo.receiver import Inbox

NEWEST_LINES = 8
STYLES = {"WARN": "yellow", "ERROR": "bold red", "Failed": "bold red", "Cancelled": "yellow", "Completed": "green"}


@dataclass(frozen=True)
class View:
    """Everything there is to show at one moment; `lines` are those of INFO and above, the oldest first."""

    progress: ProgressAnswer
    lines: Sequence[LineAnswer]
    inbox: Inbox


class Display(Protocol):
    """Shows one view after the other."""

    def __enter__(self) -> Self:
        """Begin."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Leave what was shown last."""

    def show(self, view: View) -> None:
        """Show what changed."""


def display_for(console: Console) -> Display:
    """A live display on a terminal, else plain lines."""
    return Board(console) if console.is_terminal else Lines(console.file)


class Board:
    """A live picture of the job."""

    def __init__(self, console: Console) -> None:
        self._live = Live(console=console, auto_refresh=False, vertical_overflow="visible")

    def __enter__(self) -> Self:
        """Begin."""
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Leave what was shown last."""
        self._live.stop()

    def show(self, view: View) -> None:
        """Draw the view."""
        self._live.update(render(view), refresh=True)


@dataclass
class Lines:
    """A line for each thing that changed: new log lines, stages that begin or end, each tenth of the way."""

    file: IO[str]
    _written: set[int] = field(default_factory=set)
    _shown: dict[str, str] = field(default_factory=dict)

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """End: everything was written."""

    def show(self, view: View) -> None:
        """Write what changed since the last view."""
        for line in view.lines:
            if line["sequence"] not in self._written:
                self._print(f"{line['timestamp'][:19]}Z {line['level']:5} {_where(line)}: {line['message']}")
                self._written.add(line["sequence"])
        for stage in view.progress["stages"]:
            if stage["status"] != "Pending":
                name = f"stage {stage['stageName']}"
                self._change(name, stage["status"], f"{name}: {stage['status']} {_records(stage)}")
        overall = view.progress["overallProgress"]
        state = f"job: {view.progress['status']} {overall['percentage'] // 10 * 10} %"
        self._change("job", state, f"{state} {_remaining(view.progress)}")
        self._change("webhooks", f"{len(view.inbox.messages) // 50}", _received(view.inbox))

    def _change(self, name: str, state: str, text: str) -> None:
        if self._shown.get(name) != state:
            self._shown[name] = state
            self._print(text.rstrip())

    def _print(self, text: str) -> None:
        print(text, file=self.file, flush=True)


def render(view: View) -> RenderableType:
    """The whole picture."""
    progress = view.progress
    title = f"{progress['jobName']} · {progress['status']} · {progress['overallProgress']['percentage']} %"
    use = Text(_use(progress), style="dim")
    picture = Group(_stages(progress["stages"]), use, _newest(view.lines), _webhooks(view.inbox))
    border = STYLES.get(progress["status"], "blue")
    return Panel(picture, title=Text(title), subtitle=Text(_remaining(progress)), border_style=border)


def _stages(stages: Sequence[StageAnswer]) -> Table:
    table = Table.grid(padding=(0, 1))
    for stage in stages:
        bar = ProgressBar(total=100, completed=stage["progress"], width=20)
        status = Text(stage["status"], style=STYLES.get(stage["status"], ""))
        row = Text(stage["stageName"]), bar, f"{stage['progress']:3} %", status, _records(stage)
        table.add_row(*row)
    return table


def _records(stage: StageAnswer) -> str:
    done, total = stage["recordsProcessed"], stage["totalRecords"]
    if done is None:
        return ""
    whole = f" of {total:,}" if total is not None and total != done else ""
    took = f" in {stage['duration']}" if stage["duration"] else ""
    return f"{done:,}{whole}{took}"


def _use(progress: ProgressAnswer) -> str:
    use = progress["resourceUsage"]
    cpu = None if use["cpuUsage"] is None else f"CPU {use['cpuUsage']} %"
    return " · ".join(str(part) for part in (cpu, use["memoryUsage"], use["processingRate"]) if part)


def _remaining(progress: ProgressAnswer) -> str:
    overall = progress["overallProgress"]
    elapsed = f"{overall['elapsedTime']} elapsed" if overall["elapsedTime"] else "not started"
    if progress["status"] != "Running":
        return elapsed
    return f"{elapsed}, {overall['estimatedRemaining'] or 'an unknown time'} remaining"


def _newest(lines: Sequence[LineAnswer]) -> Text:
    text = Text()
    for line in lines[-NEWEST_LINES:]:
        text.append(f"{line['timestamp'][11:19]} {line['level']:5} ", style=STYLES.get(line["level"], "dim"))
        text.append(f"{_where(line)}: {line['message']}\n")
    return text


def _where(line: LineAnswer) -> str:
    return line["component"] or "-"


def _webhooks(inbox: Inbox) -> Text:
    return Text(_received(inbox), style="bold red" if inbox.refused else "green")


def _received(inbox: Inbox) -> str:
    repeats = f", {inbox.repeats:,} repeated" if inbox.repeats else ""
    refused = f", {len(inbox.refused):,} refused" if inbox.refused else ""
    return f"webhooks: {len(inbox.messages):,} received and verified{repeats}{refused}"
