"""Process discovery: activities, variants and the directly-follows graph of an event log."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from jobtrack_demo.miner.eventlog import EventLog

Edge: TypeAlias = tuple[int, int]
Advance: TypeAlias = Callable[[int], None]


def ignore(_: int) -> None:
    """An Advance for callers that show no progress."""


@dataclass
class Model:
    """Counts of an event log: by activity code, by pair of codes, and by variant (the bytes of its int32 codes)."""

    activities: Counter[int] = field(default_factory=Counter)
    starts: Counter[int] = field(default_factory=Counter)
    ends: Counter[int] = field(default_factory=Counter)
    edges: Counter[Edge] = field(default_factory=Counter)
    variants: Counter[bytes] = field(default_factory=Counter)

    @property
    def cases(self) -> int:
        """The number of cases."""
        return self.variants.total()

    def top_variants(self, most: int) -> list[tuple[list[int], int]]:
        """Return the most frequent variants as lists of codes with their counts.

        Of equally frequent ones, the shortest is first.
        """
        ranked = sorted(self.variants.items(), key=lambda item: (-item[1], len(item[0]), item[0]))
        return [(np.frombuffer(key, dtype=np.int32).tolist(), count) for key, count in ranked[:most]]


def discover(log: EventLog, step: int, advance: Advance = ignore) -> Model:
    """Build the model from groups of at least `step` events; call `advance` with the number of events of each group."""
    model = Model()
    for bounds in _groups(log.bounds, step):
        _add(model, log, bounds)
        advance(int(bounds[-1] - bounds[0]))
    return model


def _groups(bounds: npt.NDArray[np.intp], step: int) -> list[npt.NDArray[np.intp]]:
    """Divide the cases into groups of at least `step` events; the bounds of a group include its end."""
    targets = np.arange(0, bounds[-1], step)
    cuts = np.unique(np.append(np.searchsorted(bounds, targets), len(bounds) - 1))
    return [bounds[first : last + 1] for first, last in pairwise(cuts)]


def _add(model: Model, log: EventLog, bounds: npt.NDArray[np.intp]) -> None:
    codes = log.activities[bounds[0] : bounds[-1]]
    model.activities.update(_tally(codes))
    model.starts.update(_tally(log.activities[bounds[:-1]]))
    model.ends.update(_tally(log.activities[bounds[1:] - 1]))
    model.edges.update(_edges(codes, bounds - bounds[0]))
    model.variants.update(codes[first:last].tobytes() for first, last in _spans(bounds - bounds[0]))


def _spans(bounds: npt.NDArray[np.intp]) -> list[tuple[int, int]]:
    ends = bounds.tolist()
    return list(pairwise(ends))


def _edges(codes: npt.NDArray[np.int32], bounds: npt.NDArray[np.intp]) -> dict[Edge, int]:
    inside = np.ones(len(codes), dtype=np.bool_)
    inside[bounds[1:] - 1] = False
    follows = np.flatnonzero(inside)
    pairs = codes[follows].astype(np.int64) << 32 | codes[follows + 1]
    return {(pair >> 32, pair & 0xFFFFFFFF): count for pair, count in _tally(pairs).items()}


def _tally(values: npt.NDArray[np.int32] | npt.NDArray[np.int64]) -> dict[int, int]:
    uniques, counts = np.unique(values, return_counts=True)
    return dict(zip(uniques.tolist(), counts.tolist(), strict=True))
