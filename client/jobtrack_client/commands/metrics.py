"""What a job uses and how fast it is, drawn."""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Annotated, Any

import typer

from jobtrack_client import models
from jobtrack_client.commands.options import LATEST, Job, Json
from jobtrack_client.commands.output import cell, console, present, printable, read_time, show_line, show_rows, terminal
from jobtrack_client.commands.service import connected, job_id
from jobtrack_client.types import Interval

HEIGHT = 9
"""Lines of a plot."""
BRAILLE = "\u2800"
ASCII_FRAME = str.maketrans("─│┌┐└┘├┤┬┴┼", "-|+++++++++")
"""For a terminal whose encoding has no lines to draw."""
SERIES: dict[str, Callable[[models.Bucket], float | None]] = {
    "CPU %": lambda bucket: bucket.get("cpu"),
    "Memory GB": lambda bucket: bucket.get("memory"),
    "Records / second": lambda bucket: bucket.get("recordsPerSecond"),
}
COLUMNS = ("TIME", "CPU %", "MEMORY GB", "RECORDS/S", "STAGE")


def metrics(
    job: Job = LATEST,
    interval: Annotated[Interval, typer.Option("--interval", "-i", help="Time per value.")] = "1m",
    as_json: Json = False,
) -> None:
    """Plot what a job uses and how fast it is."""
    with connected() as client:
        answer = client.metrics(job_id(client, job), interval=interval, include_history=True)
    present(answer, as_json, _show)


def _show(answer: models.Metrics) -> None:
    history = answer["historicalMetrics"]
    if not terminal():
        rows = [
            (bucket["timestamp"], *(read(bucket) for read in SERIES.values()), bucket["stage"]) for bucket in history
        ]
        return show_rows(COLUMNS, rows, "")
    for line in _summary(answer):
        show_line(line)
    for title, read in SERIES.items():
        points = [
            (time, value)
            for bucket in history
            if (value := read(bucket)) is not None and (time := read_time(bucket["timestamp"])) is not None
        ]
        if points:
            for line in ["", *plot(title, points, min(console().width, 100)).splitlines()]:
                show_line(line)


def plot(title: str, points: list[tuple[datetime, float]], width: int) -> str:
    """Values over time, in characters."""
    import plotext

    figure: Any = plotext.figure  # one for the process
    marker = "braille" if printable(BRAILLE) else "x"
    seconds = [time.timestamp() for time, _ in points]
    values = [value for _, value in points]
    figure.clear()
    figure.theme("colorless")
    figure.plot_size(width, HEIGHT)
    figure.title(title)
    signal = figure.signal(seconds, values, marker=marker)
    signal.lines()
    figure.draw(signal)
    figure.ruler("y").lim(0, max(values) * 1.1 or 1)
    ends = [seconds[0], seconds[-1]] if len(seconds) > 1 else [seconds[0]]
    figure.ruler("x").ticks(ends, [datetime.fromtimestamp(each).strftime("%H:%M") for each in ends])
    drawn = str(plotext.uncolorize(str(figure.build()))).rstrip()
    return drawn if printable(drawn) else drawn.translate(ASCII_FRAME)


def _summary(answer: models.Metrics) -> Iterator[str]:
    """The figures that a plot does not show."""
    current, trends = answer["currentMetrics"], answer["performanceTrends"]
    use = current["resourceUtilization"]
    if cpu := use.get("cpu"):
        yield f"cpu: {cell(cpu['usage'])} % of {cell(cpu['cores'])} cores, {cell(trends.get('cpuTrend'))}"
    if memory := use.get("memory"):
        yield f"memory: {cell(memory['used'])} of {cell(memory['allocated'])}, at most {cell(memory['peak'])}"
    if processing := current.get("processing"):
        yield f"records: {cell(processing['recordsProcessed'])} of {cell(processing['totalRecords'])}"
    yield f"efficiency: {cell(trends['overallEfficiency'])}"
