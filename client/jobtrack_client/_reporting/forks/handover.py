"""Hands the events of a forked process to its parent, instead of sending them."""

import threading
from collections.abc import Callable
from contextlib import suppress
from time import monotonic

from jobtrack_client._reporting.buffer import Buffer
from jobtrack_client._reporting.forks.relay import GATHER_SECONDS, Change, ParentLink
from jobtrack_client._reporting.queued_events import Event, Line
from jobtrack_client._runtime.threads import Background


class Handover:
    """Hands over the events in the buffer. When the parent has ended, this process sends them itself (`alone`)."""

    def __init__(
        self,
        parent: ParentLink,
        buffer: Buffer,
        *,
        begin: Callable[[], None],
        tick: Callable[[], None],
        alone: Callable[[], None],
        seconds: float,
    ) -> None:
        self.parent = parent
        self._buffer = buffer
        self._begin_with = begin
        self._tick = tick
        self._alone = alone
        self._seconds = seconds
        self._lock = threading.RLock()
        self._handing_over = False
        self._begun = False
        self._unsent: dict[int, Change] = {}
        self._over = threading.Event()
        self._thread = Background("jobtrack-handover")

    def put(self, reported: Event | Line) -> None:
        """Queue an event, and hand it over."""
        self._buffer.put(reported)
        self.pump()

    def pump(self) -> None:
        """Hand over waiting events until the socket is full."""
        with self._lock:
            if self._handing_over or self._over.is_set():  # a signal handler has interrupted this thread
                return
            self._begin()
            self._handing_over = True
            try:
                self._hand_over()
            finally:
                self._handing_over = False
            if self.parent.cut_off:
                self._over.set()
                self._alone()

    def progressed(self, number: int, change: Change) -> bool:
        """Report a change of the parent's progress. Return False if the parent has ended."""
        with self._lock:
            unsent = self._unsent.pop(number, Change(0))
            change = Change(
                unsent.records + change.records,
                unsent.progress if change.progress is None else change.progress,
                {**unsent.state, **change.state},
            )
            if not self.parent.send_change(number, change):
                self._unsent[number] = change
        self.pump()
        return not self.parent.cut_off

    def close(self, seconds: float) -> None:
        """Wait at most `seconds` until everything is handed over, and stop."""
        deadline = monotonic() + seconds
        self.pump()
        while (self._unsent or not self._buffer.flush(GATHER_SECONDS)) and not self._over.is_set():
            if monotonic() > deadline:
                break
            self.pump()
        self._over.set()

    def _hand_over(self) -> None:
        for number, change in list(self._unsent.items()):
            if not self.parent.send_change(number, change):
                return
            del self._unsent[number]
        while batch := self._buffer.take(1):
            if not self.parent.send_event(batch.events[0]):
                return
            self._buffer.acknowledged(batch)

    def _begin(self) -> None:
        """Start a thread for delayed progress at the first event, because few forked processes report any."""
        if not self._begun:
            self._begun = True
            self._begin_with()
            with suppress(RuntimeError):  # no thread can be started; delayed progress goes with the next event
                self._thread.start(self._run)

    def _run(self) -> None:
        while not self._over.wait(self._seconds):
            self._tick()
            self.pump()
