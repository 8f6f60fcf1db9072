"""The command `metrics`."""

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
"""The height of a plot in lines."""
BRAILLE = "\u2800"
ASCII_FRAME = str.maketrans("─│┌┐└┘├┤┬┴┼", "-|+++++++++")
"""For a terminal whose encoding has no box-drawing characters."""
SERIES: dict[str, Callable[[models.Bucket], float | None]] = {
    "CPU %": lambda bucket: bucket.get("cpu"),
    "Memory GB": lambda bucket: bucket.get("memory"),
    "Records / second": lambda bucket: bucket.get("recordsPerSecond"),
}
COLUMNS = ("TIME", "CPU %", "MEMORY GB", "RECORDS/S", "STAGE")


def metrics(
    job: Job = LATEST,
    interval: Annotated[Interval, typer.Option("--interval", "-i", help="The time that each value covers.")] = "1m",
    as_json: Json = False,
) -> None:
    """Plot the resource use and the throughput of a job."""
    with connected() as client:
        metrics = client.metrics(job_id(client, job), interval=interval, include_history=True)
    present(metrics, as_json, _show)


def _show(metrics: models.Metrics) -> None:
    history = metrics["historicalMetrics"]
    if not terminal():
        rows = [
            (bucket["timestamp"], *(read(bucket) for read in SERIES.values()), bucket["stage"]) for bucket in history
        ]
        return show_rows(COLUMNS, rows, "")
    for line in _summary(metrics):
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
    """Return a plot of values over time."""
    import plotext

    figure: Any = plotext.figure  # plotext has one figure for the process
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
    figure.ruler("x").ticks(ends, [datetime.fromtimestamp(end).strftime("%H:%M") for end in ends])
    drawn = str(plotext.uncolorize(str(figure.build()))).rstrip()
    return drawn if printable(drawn) else drawn.translate(ASCII_FRAME)


def _summary(metrics: models.Metrics) -> Iterator[str]:
    """Iterate over the values that a plot does not show."""
    current, trends = metrics["currentMetrics"], metrics["performanceTrends"]
    usage = current["resourceUtilization"]
    if cpu := usage.get("cpu"):
        yield f"cpu: {cell(cpu['usage'])} % of {cell(cpu['cores'])} cores, {cell(trends.get('cpuTrend'))}"
    if memory := usage.get("memory"):
        yield f"memory: {cell(memory['used'])} of {cell(memory['allocated'])}, peak {cell(memory['peak'])}"
    if processing := current.get("processing"):
        yield f"records: {cell(processing['recordsProcessed'])} of {cell(processing['totalRecords'])}"
    yield f"efficiency: {cell(trends['overallEfficiency'])}"
