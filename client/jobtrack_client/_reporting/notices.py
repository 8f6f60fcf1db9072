"""What the worker's operator is told, through the logger `jobtrack_client`, and not too often."""

from collections.abc import Callable, Sequence
from time import monotonic

from jobtrack_client._exceptions import ApiError
from jobtrack_client._reporting.stats import Reason, Stats
from jobtrack_client._runtime.log import EVERY, LOGGER
from jobtrack_client._runtime.visible_text import visible


class Notices:
    """Warnings of one job, each kind at most once in EVERY seconds with what came together since.

    The text of a gap is returned too, for the job's own log.
    """

    def __init__(self, job: str, clock: Callable[[], float] = monotonic) -> None:
        self._job = visible(job)
        self._clock = clock
        self._told: dict[str, float] = {}
        self._down_since: float | None = None
        self._dropped = 0
        self._refused = 0
        self._untracked = False

    def down(self, error: Exception) -> None:
        """A try failed that will be repeated."""
        if self._down_since is None:
            self._down_since = self._clock()
        if self._due("down"):
            LOGGER.warning("%s: the job goes on, its events wait and are sent again: %s", self._job, error)

    def up(self) -> None:
        """A try succeeded."""
        if self._down_since is not None:
            LOGGER.warning("%s: reporting works again after %.1f s", self._job, self._clock() - self._down_since)
            self._down_since = None
            self._told.pop("down", None)

    def gap(self, stats: Stats, *, at_once: bool = False) -> str | None:
        """What memory had no room for so far, if there is more of it than was last said."""
        dropped = stats.reasons.get(Reason.MEMORY, 0)
        if dropped == self._dropped or not (at_once or self._due("dropped")):
            return None
        self._dropped = dropped
        message = f"{_lost(stats)} were lost so far: the memory to wait in was full"
        LOGGER.warning("%s: %s; the service is away or does not keep up", self._job, message)
        return message

    def lost(self, stats: Stats) -> str | None:
        """How many are lost in all, if memory or time did not suffice."""
        if not any(stats.reasons.get(reason) for reason in (Reason.MEMORY, Reason.UNDELIVERED)):
            return None
        return f"{_lost(stats)} were lost in all ({_reasons(stats)})"

    def refused(self, types: Sequence[str], error: Exception) -> None:
        """The service refused events of these types, which are lost."""
        self._refused += len(types)
        if self._due("refused"):
            kinds = visible(", ".join(sorted(set(types))))
            LOGGER.warning("%s: %d events (%s) were refused and are lost: %s", self._job, self._refused, kinds, error)
            self._refused = 0

    def not_created(self, error: Exception) -> None:
        """The job cannot be created: the service refused it, or a setting cannot be used."""
        who = "the service refused the job; it" if isinstance(error, ApiError) else "the job"
        LOGGER.warning("%s: %s goes on, but is not tracked: %s", self._job, who, error)
        self._untracked = True

    def reduced(self, left_out: Sequence[str]) -> None:
        """The service refused members of the job, which was created without them."""
        if left_out:
            LOGGER.warning("%s: created without what the service refused: %s", self._job, visible(", ".join(left_out)))

    def existing(self, error: Exception) -> None:
        """The job was there before, as somebody else created it."""
        LOGGER.warning("%s: exists already, and is reported to as it is: %s", self._job, error)

    def ended(self, stats: Stats) -> None:
        """Nothing more is sent; that all is lost of a job that is not tracked was said before."""
        if not self._untracked and (lost := sum(stats.dropped.values())):
            LOGGER.warning("%s: %d of the job's events are lost (%s)", self._job, lost, _reasons(stats))

    def _due(self, kind: str) -> bool:
        now = self._clock()
        if kind in self._told and now - self._told[kind] < EVERY:
            return False
        self._told[kind] = now
        return True


def _lost(stats: Stats) -> str:
    lines = stats.dropped.get("log", 0)
    others = sum(stats.dropped.values()) - lines
    return f"{lines} log lines" + (f" and {others} other events" if others else "")


def _reasons(stats: Stats) -> str:
    return ", ".join(f"{reason} {count}" for reason, count in sorted(stats.reasons.items()) if count)
