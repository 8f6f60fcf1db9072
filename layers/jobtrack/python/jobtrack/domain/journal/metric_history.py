"""The history of a job's metrics: buckets aligned to the clock, each named by its end."""

from collections.abc import Iterable, Sequence

from msgspec import Struct, field

from jobtrack import times
from jobtrack.domain.journal.journal import Record

Place = tuple[int, int]

_FIRST_PLACE = times.EARLIEST, 0


class Bucket(Struct):
    """The samples of (end - interval, end]: of each figure count and sum; the stage is that of the last sample."""

    end: int
    stage: str | None = None
    last: Place = _FIRST_PLACE
    figures: dict[str, list[float]] = field(default_factory=dict)

    def add(self, record: Record) -> None:
        """Count a minute's rollup in."""
        stage, figures, before_end = record.body
        last = record.time - before_end, record.sequence
        if last > self.last:
            self.stage, self.last = stage, last
        for name, (count, total) in figures.items():
            held, sum_held = self.figures.get(name, (0, 0.0))
            self.figures[name] = [held + count, sum_held + total]

    def mean(self, name: str) -> float | None:
        """The mean of a figure's samples, `None` without any."""
        count, total = self.figures.get(name, (0, 0.0))
        return total / count if count else None


def buckets(rollups: Iterable[Record], minutes: int) -> Sequence[Bucket]:
    """The minutes' rollups as buckets of so many minutes, in order; one without a figure is left out."""
    found: dict[int, Bucket] = {}
    for record in rollups:
        end = -(-record.time // (minutes * times.MINUTE)) * minutes * times.MINUTE
        if end <= times.LATEST:
            found.setdefault(end, Bucket(end)).add(record)
    return [found[end] for end in sorted(found) if found[end].figures]
