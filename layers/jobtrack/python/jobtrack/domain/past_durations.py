"""The durations of past jobs of a type: the histogram that counts them, and the quantiles that a new job stores.

The buckets of the histogram grow by 2 % (DDSketch, Masson et al., 2019), so a quantile is wrong by at most 1 %. A job
stores 65 quantiles when it starts. Between two quantiles are 1.6 % of the past jobs, so a rank has this precision.
"""

import math
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from typing import Self

from msgspec import Struct

GROWTH = 1.02
QUANTILES = 65
SIMILAR = 0.1
"""Durations that differ by at most 10 % are similar."""

_LOG_GROWTH = math.log(GROWTH)
_SHORTEST = 0.001


def bucket(seconds: float) -> int:
    """Return the number of the bucket of a duration; bucket n ends at 1.02 ** n seconds."""
    return math.ceil(math.log(max(seconds, _SHORTEST)) / _LOG_GROWTH)


class PastDurations(Struct, frozen=True):
    """The completed jobs of a type: their number, mean duration and records per second, and quantiles of durations."""

    count: int
    mean_seconds: float
    mean_rate: float | None
    quantiles: Sequence[float]

    @classmethod
    def of(cls, counts: Mapping[int, int], total_seconds: float, rates: int, total_rate: float) -> Self | None:
        """Summarise a histogram and the sums stored with it; `None` if it is empty."""
        count = sum(counts.values())
        if not count:
            return None
        quantiles = [float(f"{seconds:.4g}") for seconds in _quantiles(counts, count)]
        return cls(count, total_seconds / count, total_rate / rates if rates else None, quantiles)

    def at(self, share: float) -> float:
        """Return the quantile: the seconds within which this share of the jobs completed."""
        place = share * (len(self.quantiles) - 1)
        low = min(int(place), len(self.quantiles) - 2)
        return self.quantiles[low] + (place - low) * (self.quantiles[low + 1] - self.quantiles[low])

    def share_within(self, seconds: float) -> float:
        """Return the share of the jobs that took at most `seconds`."""
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
        """Return the percentile rank of a duration: the per cent of the jobs that took longer, 100 for the fastest.

        Jobs of the same duration, within the resolution of the histogram, count half.
        """
        within = (self.share_within(seconds * GROWTH) + self.share_within(seconds / GROWTH)) / 2
        return round(100 * (1 - within))

    def compare(self, seconds: float) -> tuple[int, int, int]:
        """Return the per cent of the jobs that took longer, similarly long, and shorter; the sum is 100."""
        slower = self.share_within(seconds * (1 - SIMILAR))
        similar = self.share_within(seconds * (1 + SIMILAR)) - slower
        slower_whole, similar_whole = round(100 * slower), round(100 * similar)
        return 100 - slower_whole - similar_whole, similar_whole, slower_whole


def _quantiles(counts: Mapping[int, int], count: int) -> list[float]:
    """Return the quantiles, assuming that the jobs of a bucket are spread evenly over it."""
    edges, reached = [], 0
    for index in sorted(counts):
        edges.append((reached, reached + counts[index], GROWTH ** (index - 1), GROWTH**index))
        reached += counts[index]
    quantiles, place = [], 0
    for step in range(QUANTILES):
        target = step / (QUANTILES - 1) * count
        while edges[place][1] < target and place < len(edges) - 1:
            place += 1
        before, after, low, high = edges[place]
        quantiles.append(low + (target - before) / (after - before) * (high - low))
    return quantiles


def middle_half(seconds: Sequence[float]) -> tuple[float, float]:
    """Return the 25th and 75th percentile of a few durations, interpolated between neighbours."""
    ordered = sorted(seconds)

    def at(share: float) -> float:
        place = share * (len(ordered) - 1)
        low = int(place)
        high = min(low + 1, len(ordered) - 1)
        return ordered[low] + (place - low) * (ordered[high] - ordered[low])

    return at(0.25), at(0.75)
