"""Warnings to the program's operator about one job, limited in number."""

from collections.abc import Callable, Sequence
from time import monotonic

from jobtrack_client._exceptions import ApiError
from jobtrack_client._reporting.stats import Reason, Stats
from jobtrack_client._runtime.log import EVERY, LOGGER
from jobtrack_client._runtime.visible_text import visible


class Notices:
    """Warnings about one job through the logger `jobtrack_client`.

    Each kind of warning is logged at most once in EVERY seconds, with the count since the last one. Methods return a
    text if it also belongs in the job's own log.
    """

    def __init__(self, job: str, clock: Callable[[], float] = monotonic) -> None:
        self._job = visible(job)
        self._clock = clock
        self._logged_at: dict[str, float] = {}
        self._down_since: float | None = None
        self._dropped = 0
        self._refused = 0
        self._untracked = False

    def down(self, error: Exception) -> None:
        """Warn that an attempt failed and will be repeated."""
        if self._down_since is None:
            self._down_since = self._clock()
        if self._due("down"):
            LOGGER.warning("%s: the job goes on, and its events are sent later: %s", self._job, error)

    def up(self) -> None:
        """Report that an attempt succeeded after failures."""
        if self._down_since is not None:
            LOGGER.warning("%s: reporting works again after %.1f s", self._job, self._clock() - self._down_since)
            self._down_since = None
            self._logged_at.pop("down", None)

    def gap(self, stats: Stats, *, at_once: bool = False) -> str | None:
        """Warn if more events were dropped because the buffer was full."""
        dropped = stats.reasons.get(Reason.MEMORY, 0)
        if dropped == self._dropped or not (at_once or self._due("dropped")):
            return None
        self._dropped = dropped
        message = f"{_lost(stats)} were lost so far, because the buffer was full"
        LOGGER.warning("%s: %s; the service is unreachable or too slow", self._job, message)
        return message

    def lost(self, stats: Stats) -> str | None:
        """Return a text about all events that were lost for lack of memory or time."""
        if not any(stats.reasons.get(reason) for reason in (Reason.MEMORY, Reason.UNDELIVERED)):
            return None
        return f"{_lost(stats)} were lost in total ({_reasons(stats)})"

    def refused(self, types: Sequence[str], error: Exception) -> None:
        """Warn that the service refused events of these types."""
        self._refused += len(types)
        if self._due("refused"):
            kinds = visible(", ".join(sorted(set(types))))
            LOGGER.warning(
                "%s: %d events (%s) were refused and are lost: %s",
                self._job,
                self._refused,
                kinds,
                error,
            )
            self._refused = 0

    def not_created(self, error: Exception) -> None:
        """Warn that the job cannot be created: the service refused it, or a setting is invalid."""
        who = "the service refused the job; it" if isinstance(error, ApiError) else "the job"
        LOGGER.warning("%s: %s goes on, but is not tracked: %s", self._job, who, error)
        self._untracked = True

    def reduced(self, left_out: Sequence[str]) -> None:
        """Warn that the job was created without the members that the service refused."""
        if left_out:
            LOGGER.warning("%s: created without what the service refused: %s", self._job, visible(", ".join(left_out)))

    def existing(self, error: Exception) -> None:
        """Warn that the job exists already, with another description."""
        LOGGER.warning("%s: the job exists already, and keeps its description: %s", self._job, error)

    def ended(self, stats: Stats) -> None:
        """Warn about lost events when nothing more is sent. For a job that is not tracked, this was logged before."""
        if not self._untracked and (lost := sum(stats.dropped.values())):
            LOGGER.warning("%s: %d of the job's events are lost (%s)", self._job, lost, _reasons(stats))

    def _due(self, kind: str) -> bool:
        now = self._clock()
        if kind in self._logged_at and now - self._logged_at[kind] < EVERY:
            return False
        self._logged_at[kind] = now
        return True


def _lost(stats: Stats) -> str:
    lines = stats.dropped.get("log", 0)
    others = sum(stats.dropped.values()) - lines
    return f"{lines} log lines" + (f" and {others} other events" if others else "")


def _reasons(stats: Stats) -> str:
    return ", ".join(f"{reason} {count}" for reason, count in sorted(stats.reasons.items()) if count)
