"""Small event logs for the tests of the analysis."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TypeAlias

import pandas as pd

from jobtrack_demo.miner.discovery import Edge, discover
from jobtrack_demo.miner.eventlog import Cause, EventLog, Loader
from jobtrack_demo.miner.performance import analyse
from jobtrack_demo.miner.report import Analysis
from jobtrack_demo.miner.source import Chunk, Columns, Source

Row: TypeAlias = tuple[str | None, str | None, str | None]


def log_of(rows: Sequence[Row], chunk: int = 3) -> EventLog:
    """Return the ordered log of the valid rows, loaded in chunks of this size."""
    loader, parts = Loader(), []
    for start in range(0, len(rows), chunk):
        frame = pd.DataFrame(rows[start : start + chunk], columns=["case", "activity", "time"], dtype="str")
        parts.append(loader.encode(Chunk(frame, [])).checked().valid)
    return EventLog.ordered(parts, loader.activities.names)


def analysis_of(rows: Sequence[Row], step: int = 2) -> Analysis:
    """Return the whole analysis of the rows."""
    log = log_of(rows)
    source = Source(Path("small.csv"), Columns("case", ("activity",), "time"))
    excluded = Counter({Cause.NO_CASE: len(rows) - len(log)})
    return Analysis(source, len(rows), excluded, log, discover(log, step), analyse(log, step))


def named(log: EventLog, edge: Edge) -> tuple[str, str]:
    """Return the activities of a transition."""
    return log.activity_names[edge[0]], log.activity_names[edge[1]]
