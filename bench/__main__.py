"""Print the cost of every operation: `python -m bench`. Exits with 1 if a limit is exceeded."""

import argparse
import sys

from bench import around, day, functions, heartbeats, isolation, keeping, lists, pushes, reads, reporter, stage, writes
from bench.report import Report


def main() -> int:
    """Run the bench."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--lines", type=int, default=reads.MILLION, help="lines of the large job")
    asked = parser.parse_args()
    report = Report()
    with stage.running() as bench:
        writes.measure(bench, report)
        heartbeats.measure(bench, report)
        keeping.measure(bench, report)
        lists.measure(bench, report)
        around.measure(bench, report)
        day.measure(bench, report)
        functions.measure_warm(bench, report)
        reads.measure(bench, report, asked.lines)
        pushes.measure(report)
    functions.measure_cold(report)
    isolation.measure(report)
    reporter.measure(report)
    return 0 if report.print() else 1


if __name__ == "__main__":
    sys.exit(main())
