"""The turns of queued jobs that a forecast does not read one by one. They are computed from sums.

*Position.* The jobs of higher priorities are counted exactly. Among the jobs of its own priority, a job's place is
interpolated between the oldest and the newest by its time of creation. So positions of the same priority never
contradict the order of creation, and no position is outside of the range of its priority. Two jobs may have the same
position.

*Start.* The work ahead of a job is divided among the slots as they become free. If the work ahead is known, the job
starts no later than this estimate, and earlier by at most the longest duration of a job ahead (Graham's bound for list
scheduling). A job without an expected duration never frees its slot, as in the forecast of single jobs.
"""

from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

from jobtrack.domain.open_jobs import QueuedSum
from jobtrack.times import Micros


class Period(Struct, frozen=True):
    """When the oldest and the newest of some jobs were created."""

    oldest: Micros
    newest: Micros

    def share_before(self, moment: Micros) -> float:
        """Return the share of the jobs that was created before a moment, assuming an even rate."""
        if self.newest <= self.oldest:
            return 0.0
        return min(1.0, max(0.0, (moment - self.oldest) / (self.newest - self.oldest)))


class FreeSlots(Struct, frozen=True):
    """When slots become free: pairs of the seconds from now and the number of slots."""

    slots: Sequence[tuple[float, float]]

    def seconds_until_free(self, work: float, blocked: float) -> float | None:
        """Return the seconds until the slots have done an amount of work (in seconds).

        The first `blocked` slots that become free do no work. The result is `None` if no other slot is left.
        """
        count = total = 0.0
        left = list(_without(sorted(self.slots), blocked))
        for index, (free, slots) in enumerate(left, 1):
            count, total = count + slots, total + free * slots
            level = (work + total) / count
            if index == len(left) or level <= left[index][0]:
                return level
        return None


class LaterTurns(Struct, frozen=True):
    """The queued jobs behind those that were read one by one.

    Args:
        before: the number of jobs that were read.
        sums: the jobs of each priority, in the order of the queue.
        periods: when the jobs of a priority were created, by its rank, if this was read.
        slots: when slots become free after the jobs that were read.
    """

    before: int
    sums: Sequence[QueuedSum]
    periods: Mapping[int, Period]
    slots: FreeSlots

    def position(self, rank: int, created_at: Micros) -> int:
        """Return the position of a job, from 1."""
        own = self.sums[rank].jobs
        place = min(int(self._share(rank, created_at) * own), max(0, own - 1))
        return 1 + self.before + sum(each.jobs for each in self.sums[:rank]) + place

    def wait(self, rank: int, created_at: Micros) -> float | None:
        """Return the seconds until a job is expected to start, if known."""
        return self._wait(rank, self._share(rank, created_at))

    def waits(self) -> Iterator[tuple[int, float, float]]:
        """Yield for each priority the number of its jobs, and the waits of its first and its last job.

        If the wait of the last job is not known, the wait of the first job is used for both.
        """
        for rank, own in enumerate(self.sums):
            if not own.jobs:
                continue
            first, last = self._wait(rank, 0), self._wait(rank, (own.jobs - 1) / own.jobs)
            if first is not None:
                yield own.jobs, first, first if last is None else last

    def end(self) -> float | None:
        """Return the seconds until the last job has ended; `None` unless all durations are known."""
        if any(each.unknown for each in self.sums):
            return None
        return self._wait(len(self.sums) - 1, 1)

    def _share(self, rank: int, created_at: Micros) -> float:
        period = self.periods.get(rank)
        return 0.0 if period is None else period.share_before(created_at)

    def _wait(self, rank: int, share: float) -> float | None:
        ahead, own = self.sums[:rank], self.sums[rank]
        work = sum(each.seconds for each in ahead) + share * own.seconds
        return self.slots.seconds_until_free(work, sum(each.unknown for each in ahead) + share * own.unknown)


def _without(slots: Sequence[tuple[float, float]], blocked: float) -> Iterator[tuple[float, float]]:
    """Yield the slots without the first `blocked`."""
    for free, count in slots:
        taken = min(count, blocked)
        blocked -= taken
        if count > taken:
            yield free, count - taken
