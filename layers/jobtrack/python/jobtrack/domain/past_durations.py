"""What past jobs of a type took: the histogram they are counted in, and what of it a new job is told.

Durations are counted in buckets that grow by 2 %, the idea of DDSketch (Masson et al., 2019): whatever the durations
are, a quantile is off by at most 1 %. A job that starts keeps 65 quantiles; between two of them lie 1.6 % of the past
jobs, so that a rank read off them is right to that.
"""

import math
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from typing import Self

from msgspec import Struct

GROWTH = 1.02
QUANTILES = 65
SIMILAR = 0.1
"""A duration within 10 % is similar."""

_LOG_GROWTH = math.log(GROWTH)
_SHORTEST = 0.001


def bucket(seconds: float) -> int:
    """The bucket of a duration: the n-th ends at 1.02 to the n-th power."""
    return math.ceil(math.log(max(seconds, _SHORTEST)) / _LOG_GROWTH)


class PastDurations(Struct, frozen=True):
    """Completed jobs of a type: how many, their mean seconds and records a second, 65 quantiles of their seconds."""

    count: int
    mean_seconds: float
    mean_rate: float | None
    quantiles: Sequence[float]

    @classmethod
    def of(cls, counts: Mapping[int, int], total_seconds: float, rates: int, total_rate: float) -> Self | None:
        """From a histogram and the sums beside it; None where it is empty."""
        count = sum(counts.values())
        if not count:
            return None
        quantiles = [float(f"{seconds:.4g}") for seconds in _quantiles(counts, count)]
        return cls(count, total_seconds / count, total_rate / rates if rates else None, quantiles)

    def at(self, share: float) -> float:
        """The seconds that so large a share of the jobs stayed within."""
        place = share * (len(self.quantiles) - 1)
        low = min(int(place), len(self.quantiles) - 2)
        return self.quantiles[low] + (place - low) * (self.quantiles[low + 1] - self.quantiles[low])

    def share_within(self, seconds: float) -> float:
        """The share of the jobs that took at most so long."""
        last = len(self.quantiles) - 1
        if seconds < self.quantiles[0]:
            return 0.0
        if seconds >= self.quantiles[last]:
            return 1.0
        high = bisect_left(self.quantiles, seconds)
        low = max(0, high - 1)
        width = self.quantiles[high] - self.quantiles[low]
        return (low + ((seconds - self.quantiles[low]) / width if width else 0)) / last

    def rank(self, seconds: float) -> int:
        """The percentile rank of a duration, 100 for the fastest: the per cent of the jobs that took longer.

        Of those that took as long, to the histogram's resolution, one half counts.
        """
        within = (self.share_within(seconds * GROWTH) + self.share_within(seconds / GROWTH)) / 2
        return round(100 * (1 - within))

    def compare(self, seconds: float) -> tuple[int, int, int]:
        """Whole per cent of the jobs that it is faster than, similar to, slower than; they sum to 100."""
        slower = self.share_within(seconds * (1 - SIMILAR))
        similar = self.share_within(seconds * (1 + SIMILAR)) - slower
        slower_whole, similar_whole = round(100 * slower), round(100 * similar)
        return 100 - slower_whole - similar_whole, similar_whole, slower_whole


def _quantiles(counts: Mapping[int, int], count: int) -> list[float]:
    """Spread each bucket's jobs evenly over it, and read off where each share of them is reached."""
    edges, reached = [], 0
    for index in sorted(counts):
        edges.append((reached, reached + counts[index], GROWTH ** (index - 1), GROWTH**index))
        reached += counts[index]
    found, place = [], 0
    for step in range(QUANTILES):
        wanted = step / (QUANTILES - 1) * count
        while edges[place][1] < wanted and place < len(edges) - 1:
            place += 1
        before, after, low, high = edges[place]
        found.append(low + (wanted - before) / (after - before) * (high - low))
    return found


def middle_half(seconds: Sequence[float]) -> tuple[float, float]:
    """P25 and P75 of a few durations, between the nearest two."""
    ordered = sorted(seconds)

    def at(share: float) -> float:
        place = share * (len(ordered) - 1)
        low = int(place)
        high = min(low + 1, len(ordered) - 1)
        return ordered[low] + (place - low) * (ordered[high] - ordered[low])

    return at(0.25), at(0.75)
