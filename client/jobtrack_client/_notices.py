"""What the worker's operator is told, through the logger `jobtrack_client`, and not too often."""

import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from time import monotonic
from typing import Any

from jobtrack_client._stats import Reason, Stats

EVERY = 30.0
"""Seconds between warnings of one kind."""


class _Logger(logging.LoggerAdapter[logging.Logger]):
    """Never raises, whatever handlers and filters the program has: where nothing can be said, reporting goes on."""

    def log(self, level: int, msg: object, *args: object, **kwargs: Any) -> None:
        """Log it."""
        with suppress(Exception):
            super().log(level, msg, *args, **kwargs)


LOGGER = _Logger(logging.getLogger("jobtrack_client"))
_SILENT_UNTIL: dict[str, float] = {}


def warn_seldom(message: str, *arguments: object) -> None:
    """Log an exception that is being handled, at most once in EVERY seconds for each message."""
    now = monotonic()
    if now >= _SILENT_UNTIL.get(message, 0.0):
        _SILENT_UNTIL[message] = now + EVERY
        LOGGER.warning(message, *arguments, exc_info=True)


class Notices:
    """Warnings of one job, each kind at most once in EVERY seconds with what came together since.

    Of a gap `tell` is told too, so that who reads the job's log knows of it.
    """

    def __init__(self, job: str, tell: Callable[[str], None], clock: Callable[[], float] = monotonic) -> None:
        self._job = job
        self._tell = tell
        self._clock = clock
        self._told: dict[str, float] = {}
        self._down_since: float | None = None
        self._dropped = 0
        self._refused = 0

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

    def dropped(self, stats: Stats) -> None:
        """There may be events that memory had no room for."""
        dropped = stats.reasons.get(Reason.MEMORY, 0)
        if dropped > self._dropped and self._due("dropped"):
            message = f"{dropped - self._dropped} events were lost: the memory to wait in was full"
            LOGGER.warning("%s: %s; the service is away or does not keep up", self._job, message)
            self._dropped = dropped
            self._tell(message)

    def refused(self, types: Sequence[str], error: Exception) -> None:
        """The service refused events of these types, which are lost."""
        self._refused += len(types)
        if self._due("refused"):
            kinds = ", ".join(sorted(set(types)))
            LOGGER.warning("%s: %d events (%s) were refused and are lost: %s", self._job, self._refused, kinds, error)
            self._refused = 0

    def not_created(self, error: Exception) -> None:
        """The service refused the job itself."""
        LOGGER.warning("%s: the service refused the job; it goes on, but is not tracked: %s", self._job, error)

    def existing(self, error: Exception) -> None:
        """The job was there before, as somebody else created it."""
        LOGGER.warning("%s: exists already, and is reported to as it is: %s", self._job, error)

    def ended(self, stats: Stats) -> None:
        """Nothing more is sent."""
        if lost := sum(stats.dropped.values()):
            reasons = ", ".join(f"{reason} {count}" for reason, count in sorted(stats.reasons.items()) if count)
            LOGGER.warning("%s: %d of the job's events are lost (%s)", self._job, lost, reasons)

    def _due(self, kind: str) -> bool:
        now = self._clock()
        if kind in self._told and now - self._told[kind] < EVERY:
            return False
        self._told[kind] = now
        return True
