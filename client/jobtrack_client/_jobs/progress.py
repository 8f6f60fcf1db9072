"""How far a stage has come: every call counts, few are sent."""

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
        """Queue an event of `moment` (seconds since 1970; default: now)."""


class Progress:
    """Sends an update at most every `every` seconds, and always the last one.

    What a forked process did of it is told (`tell`) to the one that began it, which counts for all.
    """

    def __init__(
        self,
        report: Report,
        stage: str | None,
        total: int | None,
        *,
        every: float,
        clock: Callable[[], float],
        tell: Callable[[Change], bool] = lambda change: False,
    ) -> None:
        self._report = report
        self._tell = tell
        self._every = every
        self._clock = clock
        self._lock = threading.RLock()
        self._state: dict[str, object] = {"stage_name": stage, "total_records": total}
        self._records: int | None = None
        self._sent_at: float | None = None
        self._held: float | None = None
        self._inherited = False
        fork_safety.renew(self)

    @property
    def records(self) -> int | None:
        """Records done so far; None when none were ever counted."""
        return self._records

    def advance(self, records: int) -> None:
        """So many more records are done."""
        more = _integer(records) or 0
        with self._lock:
            self._records = min(max(0, (self._records or 0) + more), NUMBER)
            self._changed(Change(more))

    def reach(self, records: int) -> None:
        """So many records are done in all."""
        if (reached := _integer(records)) is None:
            return
        reached = min(max(0, reached), NUMBER)
        with self._lock:
            more = reached - (self._records or 0)
            if more or self._records is None:
                self._records = reached
                self._changed(Change(more))

    def update(self, progress: float | None, state: Mapping[str, object]) -> None:
        """The stage is `progress` percent done, and what else is to be told of it."""
        percentage, known = _percentage(progress), {name: value for name, value in state.items() if value is not None}
        with self._lock:
            if percentage is not None:
                self._state["progress"] = percentage
            self._state.update(known)
            self._changed(Change(0, percentage, known))

    def apply(self, change: Change) -> None:
        """A forked process has gone on with it."""
        if change.records:
            self.advance(change.records)
        if change.progress is not None or change.state:
            self.update(change.progress, change.state)

    def tick(self) -> None:
        """Send what was held back, if it is time."""
        with self._lock:
            if self._held is not None and self._due(self._clock()):
                self._send(self._held)

    def finish(self) -> None:
        """Send what was held back."""
        with self._lock:
            if self._held is not None:
                self._send(self._held)

    def forked(self) -> None:
        """Leave what is held back to the parent, and the lock to the thread that may hold it there."""
        self._lock = threading.RLock()
        self._held = None
        self._inherited = True

    def _changed(self, change: Change) -> None:
        now = self._clock()
        if self._inherited and self._tell(change):
            return
        if self._due(now):
            self._send(now)
        else:
            self._held = now

    def _due(self, now: float) -> bool:
        # A clock that was set back is due too, else nothing would be sent until it has caught up.
        return self._sent_at is None or abs(now - self._sent_at) >= self._every

    def _send(self, moment: float) -> None:
        self._sent_at = self._clock()
        self._held = None
        measured = self._records is not None or "progress" in self._state
        self._report("progressUpdate", {**self._state, "records_processed": self._records if measured else 0}, moment)
        self._state.pop("details", None)


def _integer(value: float) -> int | None:
    if type(value) is int:
        return value
    found = number(value)
    if found is None:
        warn_once("records", f"{shown(value)} is no number of records")
    return None if found is None else int(found)


def _percentage(value: float | None) -> float | None:
    if value is None:
        return None
    found = number(value)
    if found is None:
        warn_once("percentage", f"{shown(value)} is no percentage")
    return None if found is None else min(100.0, max(0.0, found))
