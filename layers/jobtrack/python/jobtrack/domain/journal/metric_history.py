"""The history of a job's metrics: buckets of some minutes, aligned to the clock and identified by their end."""

from collections.abc import Iterable, Sequence

from msgspec import Struct, field

from jobtrack import times
from jobtrack.domain.journal.records import Record
from jobtrack.times import Micros

Place = tuple[int, int]

_FIRST_PLACE = times.EARLIEST, 0


class Bucket(Struct):
    """The samples of (end - interval, end]: count and sum of each metric, and the stage of the last sample."""

    end: Micros
    stage: str | None = None
    last: Place = _FIRST_PLACE
    figures: dict[str, list[float]] = field(default_factory=dict)

    def add(self, record: Record) -> None:
        """Add the sums of a minute."""
        stage, figures, before_end = record.body
        last = record.time - before_end, record.sequence
        if last > self.last:
            self.stage, self.last = stage, last
        for name, (count, total) in figures.items():
            count_before, total_before = self.figures.get(name, (0, 0.0))
            self.figures[name] = [count_before + count, total_before + total]

    def mean(self, name: str) -> float | None:
        """Return the mean of a metric's samples, `None` if there are none."""
        count, total = self.figures.get(name, (0, 0.0))
        return total / count if count else None


def buckets(minute_records: Iterable[Record], minutes: int) -> Sequence[Bucket]:
    """Return the minutes' sums as buckets of `minutes` minutes, in order, without buckets that have no metric."""
    by_end: dict[Micros, Bucket] = {}
    for record in minute_records:
        end = Micros(-(-record.time // (minutes * times.MINUTE)) * minutes * times.MINUTE)
        if end <= times.LATEST:
            by_end.setdefault(end, Bucket(end)).add(record)
    return [by_end[end] for end in sorted(by_end) if by_end[end].figures]
