"""The progress of a job or stage. Every call counts, but few updates are sent."""

import threading
from collections.abc import Callable, Mapping
from typing import Protocol

from jobtrack_client._reporting.forks.relay import Change
from jobtrack_client._runtime import fork_safety
from jobtrack_client._runtime.log import warn_once
from jobtrack_client._values.fields import NUMBER
from jobtrack_client._values.kinds import number, shown


class Report(Protocol):
    """Queues an event."""

    def __call__(self, type_: str, data: Mapping[str, object], moment: float | None = None) -> None:
        """Queue an event with the time `moment` (seconds since 1970; default: now)."""


class Progress:
    """Sends an update at most every `every` seconds, and always the last one.

    A forked process passes changes to the process that began the stage (`pass_on`), which counts for all processes.
    """

    def __init__(
        self,
        report: Report,
        stage: str | None,
        total: int | None,
        *,
        every: float,
        clock: Callable[[], float],
        pass_on: Callable[[Change], bool] = lambda change: False,
    ) -> None:
        self._report = report
        self._pass_on = pass_on
        self._every = every
        self._clock = clock
        self._lock = threading.RLock()
        self._state: dict[str, object] = {"stage_name": stage, "total_records": total}
        self._records: int | None = None
        self._sent_at: float | None = None
        self._delayed_since: float | None = None
        self._inherited = False
        fork_safety.renew(self)

    @property
    def records(self) -> int | None:
        """The number of processed records; None if none were ever counted."""
        return self._records

    def advance(self, records: int) -> None:
        """Add a number of processed records."""
        more = _integer(records) or 0
        with self._lock:
            self._records = min(max(0, (self._records or 0) + more), NUMBER)
            self._changed(Change(more))

    def reach(self, records: int) -> None:
        """Set the number of records processed so far."""
        if (reached := _integer(records)) is None:
            return
        reached = min(max(0, reached), NUMBER)
        with self._lock:
            more = reached - (self._records or 0)
            if more or self._records is None:
                self._records = reached
                self._changed(Change(more))

    def update(self, progress: float | None, state: Mapping[str, object]) -> None:
        """Set the percentage and other members of the progress."""
        percentage = _percentage(progress)
        given = {name: value for name, value in state.items() if value is not None}
        with self._lock:
            if percentage is not None:
                self._state["progress"] = percentage
            self._state.update(given)
            self._changed(Change(0, percentage, given))

    def apply(self, change: Change) -> None:
        """Apply a change that a forked process reported."""
        if change.records:
            self.advance(change.records)
        if change.progress is not None or change.state:
            self.update(change.progress, change.state)

    def tick(self) -> None:
        """Send a delayed update, if it is due."""
        with self._lock:
            if self._delayed_since is not None and self._due(self._clock()):
                self._send(self._delayed_since)

    def finish(self) -> None:
        """Send a delayed update."""
        with self._lock:
            if self._delayed_since is not None:
                self._send(self._delayed_since)

    def forked(self) -> None:
        """Leave a delayed update to the parent, and replace the lock that a thread of the parent may hold."""
        self._lock = threading.RLock()
        self._delayed_since = None
        self._inherited = True

    def _changed(self, change: Change) -> None:
        now = self._clock()
        if self._inherited and self._pass_on(change):
            return
        if self._due(now):
            self._send(now)
        else:
            self._delayed_since = now

    def _due(self, now: float) -> bool:
        # If the clock was set back, an update is due. Otherwise none would be sent until the clock has caught up.
        return self._sent_at is None or abs(now - self._sent_at) >= self._every

    def _send(self, moment: float) -> None:
        self._sent_at = self._clock()
        self._delayed_since = None
        measured = self._records is not None or "progress" in self._state
        self._report("progressUpdate", {**self._state, "records_processed": self._records if measured else 0}, moment)
        self._state.pop("details", None)


def _integer(value: float) -> int | None:
    if type(value) is int:
        return value
    result = number(value)
    if result is None:
        warn_once("records", f"{shown(value)} is not a number of records")
    return None if result is None else int(result)


def _percentage(value: float | None) -> float | None:
    if value is None:
        return None
    result = number(value)
    if result is None:
        warn_once("percentage", f"{shown(value)} is not a percentage")
    return None if result is None else min(100.0, max(0.0, result))
