"""The forecast of a project's job queue: which jobs wait, which run, and when each queued job is expected to start.

Jobs start by priority, then in the order of their submission. Each job takes the slot of a live worker that becomes
free first: a slot that is free now, else the slot of the running job that is expected to end first. A running job of
unknown duration never frees its slot, so a job that would need the slot has no expected start. Prerequisites and
blocking conditions are not considered.

The first thousand queued jobs and the first thousand running ones are forecast one by one, the rest by their sums
(`later_turns`).
"""

import heapq
from collections.abc import Mapping, Sequence
from typing import Literal

from msgspec import Struct

from jobtrack import times
from jobtrack.domain.job import Job, JobStatus
from jobtrack.domain.job_queue import JobQueue, QueuedJob
from jobtrack.domain.later_turns import FreeSlots, LaterTurns
from jobtrack.times import Micros

Health = Literal["Good", "Degraded", "Critical"]

_GOOD_SECONDS, _DEGRADED_SECONDS = 15 * 60, 60 * 60


class Turn(Struct, frozen=True):
    """The forecast of a queued job: its position from 1, and its expected start and end, if known."""

    position: int
    start: Micros | None
    end: Micros | None


_NO_TURN = Turn(0, None, None)


class Forecast(Struct, frozen=True):
    """The turns of the first queued jobs, by id and in the order of the queue, and of later jobs, if any."""

    now: Micros
    turns: Mapping[str, Turn]
    later: LaterTurns | None

    def turn_of(self, job: Job) -> Turn:
        """Return the turn of a job. The position is 0 if the job is not queued."""
        if turn := self.turns.get(job.job_id):
            return turn
        if self.later is None or job.status is not JobStatus.QUEUED:
            return _NO_TURN
        queued = QueuedJob.of(job)
        wait = self.later.wait(queued.rank, queued.created_at)
        start = None if wait is None else _plausible(times.add_seconds(self.now, int(wait)))
        return Turn(self.later.position(queued.rank, queued.created_at), start, _end(start, queued.seconds))

    def mean_wait(self) -> float | None:
        """Return the mean wait in seconds of the jobs whose start is known."""
        waits = [*self._first_waits(), *((jobs, (first + last) / 2) for jobs, first, last in self._later_waits())]
        count = sum(jobs for jobs, _ in waits)
        return sum(jobs * wait for jobs, wait in waits) / count if count else None

    def longest_wait(self) -> float:
        """Return the longest known wait in seconds."""
        waits = [*(wait for _, wait in self._first_waits()), *(max(each[1:]) for each in self._later_waits())]
        return max(waits, default=0)

    def health(self) -> Health:
        """Return `queueHealth` by the longest expected wait: Good to 15 minutes, Degraded to 60, else Critical."""
        longest = self.longest_wait()
        if longest <= _GOOD_SECONDS:
            return "Good"
        return "Degraded" if longest <= _DEGRADED_SECONDS else "Critical"

    def remaining_seconds(self) -> int | None:
        """Return the seconds from now until the last queued job has ended; `None` unless all ends can be estimated."""
        ends = [turn.end for turn in self.turns.values() if turn.end is not None]
        later = 0 if self.later is None else self.later.end()
        if len(ends) < len(self.turns) or later is None:
            return None
        return max((max(ends, default=self.now) - self.now) // times.SECOND, int(later))

    def _first_waits(self) -> Sequence[tuple[int, float]]:
        starts = [turn.start for turn in self.turns.values() if turn.start is not None]
        return [(1, (start - self.now) // times.SECOND) for start in starts]

    def _later_waits(self) -> Sequence[tuple[int, float, float]]:
        return [] if self.later is None else [*self.later.waits()]


def forecast_queue(queue: JobQueue) -> Forecast:
    """Return the forecast of each queued job."""
    free = _free_times(queue)
    turns: dict[str, Turn] = {}
    for position, job in enumerate(queue.queued, 1):
        start = heapq.heappop(free) if free else None
        end = _end(start, job.seconds)
        if end is not None:
            heapq.heappush(free, end)
        turns[job.job] = Turn(position, start, end)
    return Forecast(queue.now, turns, _later_turns(queue, free))


def _free_times(queue: JobQueue) -> list[Micros]:
    """Return when each slot becomes free, as a heap."""
    return [queue.now] * min(queue.free_slots, len(queue.queued)) + _ends(queue)


def _ends(queue: JobQueue) -> list[Micros]:
    """Return when the slots of running jobs become free.

    If more jobs run than there are slots, the jobs that end first free no slot.
    """
    ends = [max(queue.now, job.end) for job in queue.running if job.end is not None and job.end <= times.LATEST]
    surplus = max(0, queue.running_jobs - queue.slots)
    return sorted(ends)[round(surplus * len(queue.running) / max(1, queue.running_jobs)) :]


def _later_turns(queue: JobQueue, free: Sequence[Micros]) -> LaterTurns | None:
    """Return the turns of the queued jobs that were not read one by one.

    The running jobs that were not read are assumed to end at the same times as the running jobs that were read.
    """
    rest = queue.rest
    if not queue.is_longer:
        return None
    idle = max(0, queue.free_slots - len(queue.queued))
    unread = rest.running / max(1, len(queue.running))
    slots = [(queue.now, float(idle)), *((end, 1.0) for end in free), *((end, unread) for end in _ends(queue))]
    seconds = [(times.seconds_between(queue.now, moment), count) for moment, count in slots if count]
    return LaterTurns(len(queue.queued), rest.queued, rest.periods, FreeSlots(seconds))


def _end(start: Micros | None, seconds: int | None) -> Micros | None:
    return None if start is None or seconds is None else _plausible(times.add_seconds(start, seconds))


def _plausible(moment: Micros) -> Micros | None:
    """Return the moment, or `None` if it is after the year 9999."""
    return moment if moment <= times.LATEST else None
