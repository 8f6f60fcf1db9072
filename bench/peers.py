"""Compare measurements of this service with those of two others, and with the targets.

Each file is the output of one load program for one server: for each operation its count, rate and latencies. Files of
one run belong together: a run puts the same load on each server, one after the other, on the same machine.

    python -m bench.peers ours.1.json prefect.1.json mlflow.1.json ours.2.json prefect.2.json mlflow.2.json ...
"""

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

Run = Sequence[Mapping[str, Any]]
"""The measurements of one run: ours first, then those of the others."""

LARGEST_P99_RATIO, LEAST_P99_MS = 5, 25
"""p99 is at most the larger of 5 × p50 and 25 ms."""


class Row(NamedTuple):
    """An operation, a member of its measurements, and how many times better ours must be than the best other."""

    title: str
    operation: str
    member: str
    factor: float


ROWS = (
    Row("log lines per second, batch 100, 1 client", "ingest1", "rate_per_s", 3),
    Row("log lines per second, batch 100, 4 clients", "ingest4", "rate_per_s", 3),
    Row("one line per request, per second", "ingest_line1", "rate_per_s", 2),
    Row("state writes per second", "state", "rate_per_s", 2),
    Row("progress writes per second", "progress", "rate_per_s", 2),
    Row("read one job, p50 in ms", "get1", "p50_ms", 2),
    Row("8 readers, requests per second", "get8", "rate_per_s", 3),
    Row("1,000 log lines, p50 in ms", "logs1000", "p50_ms", 3),
    Row("1,000 log lines, p99 in ms", "logs1000", "p99_ms", 3),
    Row("list of 100, p50 in ms", "list100", "p50_ms", 2),
    Row("create, per second", "create", "rate_per_s", 2),
)
LIMITS = {"startup_s": ("ready after, in s", 1.0), "rss_idle_mb": ("idle memory, in MB", 120)}


def main(paths: Sequence[str]) -> None:
    """Print the tables."""
    measurements = [json.loads(Path(path).read_text()) for path in paths]
    runs = [measurements[start : start + 3] for start in range(0, len(measurements), 3)]
    print("| same work | ours | Prefect | MLflow | ratio | target | p99 / p50 of ours |")
    print("|---|---|---|---|---|---|---|")
    for row in ROWS:
        print(_line(row, runs))
    for member, (title, limit) in LIMITS.items():
        ours, *others = (_range([run[server][member] for run in runs]) for server in range(3))
        verdict = "met" if median(run[0][member] for run in runs) <= limit else "missed"
        print(f"| {title} | {ours} | {others[0]} | {others[1]} | | ≤ {limit:g}: {verdict} | |")


def _line(row: Row, runs: Sequence[Run]) -> str:
    cells = [_range([_figure(run[server], row) for run in runs]) for server in range(3)]
    ratio = median(_ratio(run, row) for run in runs)
    verdict = "met" if ratio >= row.factor else "missed"
    return f"| {row.title} | {' | '.join(cells)} | {ratio:.2f} | ≥ {row.factor:g}: {verdict} | {_tail(row, runs)} |"


def _figure(measurement: Mapping[str, Any], row: Row) -> float:
    return float(measurement.get(row.operation, {}).get(row.member, 0))


def _ratio(run: Run, row: Row) -> float:
    """Return how many times better ours is than that of the best other service."""
    ours, *others = (_figure(measurement, row) for measurement in run)
    others = [figure for figure in others if figure]
    return min(others) / ours if row.member.endswith("_ms") else ours / max(others)


def _tail(row: Row, runs: Sequence[Run]) -> str:
    """Return the median p99 and p50 of ours, and whether p99 is within its limit."""
    p50, p99 = (median(run[0][row.operation][member] for run in runs) for member in ("p50_ms", "p99_ms"))
    limit = max(LARGEST_P99_RATIO * p50, LEAST_P99_MS)
    return f"{p99:.1f} / {p50:.1f} ms: {'met' if p99 <= limit else 'missed'}"


def _range(figures: Sequence[float]) -> str:
    low, high = min(figures), max(figures)
    return f"{low:,.4g}" if low == high else f"{low:,.4g} to {high:,.4g}"


if __name__ == "__main__":
    main(sys.argv[1:])
