"""The cost of writing batches of events."""

import random
from statistics import mean

from bench import workload
from bench.metered_store import Bench
from bench.report import Report
from jobtrack import times

LIMITS = {500: 56, 100: 24, 10: 16, 1: 10}
BATCHES = 60


def measure(bench: Bench, report: Report) -> None:
    """Measure the most expensive of many batches of each size, and the requests of the first and the later batches."""
    for size, limit in LIMITS.items():
        rng, key, moment = random.Random(size), bench.job(), workload.START + times.MINUTE
        used = []
        for _ in range(BATCHES):
            used.append(bench.report(key, workload.mixed(rng, size, moment)))
            moment += size * 20_000 + 100_000
        name = f"events, batches of {size}"
        report.add(name, "write units", max(usage.write_units for usage in used), limit)
        report.add(name, "write units, mean", round(mean(usage.write_units for usage in used), 1), limit)
        report.add(name, "requests, version cached", max(usage.requests for usage in used), 1)
        bench.jobs.forget(key)
        again = bench.report(key, workload.mixed(rng, size, moment))
        report.add(name, "requests, version not cached", again.requests, 2)
