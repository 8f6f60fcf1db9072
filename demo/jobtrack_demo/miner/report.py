"""The report as plain data for JSON: what was read, and the results."""

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

from jobtrack_demo.miner.discovery import Edge, Model
from jobtrack_demo.miner.eventlog import Cause, EventLog
from jobtrack_demo.miner.performance import Performance, Spread
from jobtrack_demo.miner.source import Source

TOP_VARIANTS = 20
TOP_BOTTLENECKS = 20
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Json: TypeAlias = dict[str, "Json"] | list["Json"] | str | int | float | bool | None
CAUSE_NAMES = {
    Cause.MALFORMED: "malformed",
    Cause.NO_CASE: "withoutCase",
    Cause.NO_ACTIVITY: "withoutActivity",
    Cause.NO_TIME: "withoutTime",
    Cause.UNREADABLE_TIME: "unreadableTime",
}


@dataclass(frozen=True)
class Analysis:
    """The results of one run."""

    source: Source
    records: int
    excluded: Counter[Cause]
    log: EventLog
    model: Model
    performance: Performance


def report(analysis: Analysis) -> dict[str, Json]:
    """Summarize the analysis; durations are in seconds, rounded to milliseconds."""
    model, names = analysis.model, analysis.log.activity_names
    return {
        "source": _source(analysis),
        "timeRange": _time_range(analysis.log),
        "cases": model.cases,
        "caseDurationSeconds": _spread(analysis.performance.durations),
        "activities": _ranked(model.activities, names),
        "startActivities": _ranked(model.starts, names),
        "endActivities": _ranked(model.ends, names),
        "variants": {"total": len(model.variants), "top": _variants(model, names)},
        "directlyFollows": [_edge(edge, analysis) for edge, _ in model.edges.most_common()],
        "bottlenecks": [_edge(edge, analysis) for edge in analysis.performance.bottlenecks[:TOP_BOTTLENECKS]],
    }


def render_time(micros: int) -> str:
    """Return µs since 1970 as RFC 3339 in UTC."""
    return (EPOCH + timedelta(microseconds=micros)).isoformat().replace("+00:00", "Z")


def _source(analysis: Analysis) -> Json:
    columns = analysis.source.columns
    return {
        "file": analysis.source.path.name,
        "columns": {"case": columns.case, "activity": list(columns.activity), "time": columns.time},
        "records": analysis.records,
        "analysed": len(analysis.log),
        "excluded": {name: analysis.excluded[cause] for cause, name in CAUSE_NAMES.items()},
    }


def _time_range(log: EventLog) -> Json:
    return {"start": render_time(int(log.times.min())), "end": render_time(int(log.times.max()))}


def _spread(spread: Spread) -> Json:
    return {"mean": round(spread.mean, 3), "median": round(spread.median, 3), "p90": round(spread.p90, 3)}


def _ranked(counts: Counter[int], names: list[str]) -> Json:
    return [{"activity": names[code], "count": count} for code, count in counts.most_common()]


def _variants(model: Model, names: list[str]) -> Json:
    top = model.top_variants(TOP_VARIANTS)
    return [{"activities": [names[code] for code in codes], "count": count} for codes, count in top]


def _edge(edge: Edge, analysis: Analysis) -> Json:
    names = analysis.log.activity_names
    waits = analysis.performance.waits[edge]
    return {"from": names[edge[0]], "to": names[edge[1]], "count": waits.count, "waitingSeconds": _spread(waits)}
