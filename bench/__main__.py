"""Print the cost of every operation: `python -m bench`. Exits with 1 if a limit is exceeded."""

import argparse
import sys
from collections.abc import Callable, Collection

from bench import (
    day,
    dependencies,
    functions,
    heartbeats,
    isolation,
    lists,
    metered_store,
    pushes,
    queue_growth,
    reads,
    reporter,
    ttl_extension,
    writes,
)
from bench.metered_store import Bench
from bench.report import Report

ON_A_TABLE: dict[str, Callable[[Bench, Report], None]] = {
    "writes": writes.measure,
    "heartbeats": heartbeats.measure,
    "ttl_extension": ttl_extension.measure,
    "lists": lists.measure,
    "queue_growth": queue_growth.measure,
    "dependencies": dependencies.measure,
    "day": day.measure,
    "warm": functions.measure_warm,
    "reads": reads.measure,
    "pushes": lambda bench, report: pushes.measure(report),
}
ALONE: dict[str, Callable[[Report], None]] = {
    "cold": functions.measure_cold,
    "isolation": isolation.measure,
    "reporter": reporter.measure,
}


def main() -> int:
    """Run the bench."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--lines", type=int, default=reads.MILLION, help="lines of the large job")
    parser.add_argument("--only", nargs="+", choices=[*ON_A_TABLE, *ALONE], help="measure only these parts")
    options = parser.parse_args()
    ON_A_TABLE["reads"] = lambda bench, report: reads.measure(bench, report, options.lines)
    report = Report()
    _measure(options.only or [*ON_A_TABLE, *ALONE], report)
    return 0 if report.print() else 1


def _measure(names: Collection[str], report: Report) -> None:
    if on_a_table := [measure for name, measure in ON_A_TABLE.items() if name in names]:
        with metered_store.running() as bench:
            for measure in on_a_table:
                measure(bench, report)
    for name, measure_alone in ALONE.items():
        if name in names:
            measure_alone(report)


if __name__ == "__main__":
    sys.exit(main())
