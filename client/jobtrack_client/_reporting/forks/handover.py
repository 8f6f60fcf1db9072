"""What a forked process reports through, in place of a thread that sends."""

import threading
from collections.abc import Callable
from contextlib import suppress
from time import monotonic

from jobtrack_client._reporting.buffer import Buffer
from jobtrack_client._reporting.forks.relay import GATHER_SECONDS, Change, Mouthpiece
from jobtrack_client._reporting.queued_events import Event, Line
from jobtrack_client._runtime.threads import Background


class Handover:
    """Says what is in the buffer; what cannot be said now stays there, or is sent by this process itself (`alone`)."""

    def __init__(
        self,
        mouthpiece: Mouthpiece,
        buffer: Buffer,
        *,
        begin: Callable[[], None],
        tick: Callable[[], None],
        alone: Callable[[], None],
        seconds: float,
    ) -> None:
        self.mouthpiece = mouthpiece
        self._buffer = buffer
        self._begin_with = begin
        self._tick = tick
        self._alone = alone
        self._seconds = seconds
        self._lock = threading.RLock()
        self._saying = False
        self._begun = False
        self._owed: dict[int, Change] = {}
        self._over = threading.Event()
        self._thread = Background("jobtrack-handover")

    def put(self, reported: Event | Line) -> None:
        """Take one more event, and say it."""
        self._buffer.put(reported)
        self.pump()

    def pump(self) -> None:
        """Say what waits, as far as there is room."""
        with self._lock:
            if self._saying or self._over.is_set():  # by this very thread, which a signal handler has interrupted
                return
            self._begin()
            self._saying = True
            try:
                self._say()
            finally:
                self._saying = False
            if self.mouthpiece.cut_off:
                self._over.set()
                self._alone()

    def progressed(self, number: int, change: Change) -> bool:
        """Tell of a stage of the parent's; False when there is nobody to be told any more."""
        with self._lock:
            owed = self._owed.pop(number, Change(0))
            change = Change(
                owed.records + change.records,
                owed.progress if change.progress is None else change.progress,
                {**owed.state, **change.state},
            )
            if not self.mouthpiece.tell(number, change):
                self._owed[number] = change
        self.pump()
        return not self.mouthpiece.cut_off

    def close(self, seconds: float) -> None:
        """Wait until all is said, at most so many seconds, and say no more."""
        deadline = monotonic() + seconds
        self.pump()
        while (self._owed or not self._buffer.flush(GATHER_SECONDS)) and not self._over.is_set():
            if monotonic() > deadline:
                break
            self.pump()
        self._over.set()

    def _say(self) -> None:
        for number, change in list(self._owed.items()):
            if not self.mouthpiece.tell(number, change):
                return
            del self._owed[number]
        while batch := self._buffer.take(1):
            if not self.mouthpiece.say(batch.events[0]):
                return
            self._buffer.acknowledged(batch)

    def _begin(self) -> None:
        """At the first report, since few forked processes report: a thread for what is held back, and the end."""
        if not self._begun:
            self._begun = True
            self._begin_with()
            with suppress(RuntimeError):  # none can be started; what is held back is said with the next report
                self._thread.start(self._run)

    def _run(self) -> None:
        while not self._over.wait(self._seconds):
            self._tick()
            self.pump()
