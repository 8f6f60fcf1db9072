"""Performance analysis: waiting times per transition, case durations and bottlenecks."""

from dataclasses import dataclass

import numpy as np

from jobtrack_demo.miner.discovery import Advance, Edge, ignore
from jobtrack_demo.miner.eventlog import EventLog, Micros

SECOND = 1_000_000
SLOW = 2.0
RARE = 0.0005


@dataclass(frozen=True)
class Spread:
    """Durations in seconds: count, mean, median and 90th percentile (linear interpolation)."""

    count: int
    mean: float
    median: float
    p90: float

    @classmethod
    def of(cls, micros: Micros) -> "Spread":
        """Summarize one or more durations in µs."""
        median, p90 = np.quantile(micros, [0.5, 0.9]) / SECOND
        return cls(len(micros), float(np.mean(micros)) / SECOND, float(median), float(p90))

    @property
    def total(self) -> float:
        """The sum of the durations, in seconds."""
        return self.count * self.mean


@dataclass(frozen=True)
class Performance:
    """The durations of transitions and cases; bottlenecks in descending order of their total waiting time."""

    waits: dict[Edge, Spread]
    durations: Spread
    bottlenecks: list[Edge]


def analyse(log: EventLog, step: int, advance: Advance = ignore) -> Performance:
    """Measure every transition; after about every `step` transitions, call `advance` with their number."""
    waits: dict[Edge, Spread] = {}
    done = 0
    for edge, micros in _grouped(log):
        waits[edge] = Spread.of(micros)
        done += len(micros)
        if done >= step:
            advance(done)
            done = 0
    advance(done)
    return Performance(waits, Spread.of(_durations(log)), bottlenecks(waits))


def bottlenecks(waits: dict[Edge, Spread]) -> list[Edge]:
    """Return the transitions that wait at least twice the mean and are at least 1 in 2,000. The costliest is first."""
    count = sum(spread.count for spread in waits.values())
    total = sum(spread.total for spread in waits.values())
    slow = [edge for edge, spread in waits.items() if _is_slow(spread, count, total)]
    return sorted(slow, key=lambda edge: (-waits[edge].total, edge))


def _is_slow(spread: Spread, count: int, total: float) -> bool:
    return total > 0 and spread.count >= RARE * count and spread.mean >= SLOW * total / count


def _durations(log: EventLog) -> Micros:
    bounds = log.bounds
    return log.times[bounds[1:] - 1] - log.times[bounds[:-1]]


def _grouped(log: EventLog) -> list[tuple[Edge, Micros]]:
    follows = np.flatnonzero(log.cases[:-1] == log.cases[1:])
    if len(follows) == 0:
        return []
    pairs = log.activities[follows].astype(np.int64) << 32 | log.activities[follows + 1]
    order = np.argsort(pairs, kind="stable")
    waits = (log.times[follows + 1] - log.times[follows])[order]
    uniques, firsts = np.unique(pairs[order], return_index=True)
    return list(zip(map(_edge, uniques.tolist()), np.split(waits, firsts[1:]), strict=True))


def _edge(pair: int) -> Edge:
    return pair >> 32, pair & 0xFFFFFFFF


def transitions(log: EventLog) -> int:
    """Return the number of events that follow another event of the same case."""
    return len(log) - (len(log.bounds) - 1)
