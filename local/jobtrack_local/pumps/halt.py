"""How a thread that carries records is stopped, or woken when there is something to carry."""

import logging
import threading
from collections.abc import Callable

from jobtrack_local.pumps.seldom import Seldom

log = logging.getLogger(__name__)

TROUBLE_SECONDS = 1.0


class Stopped(Exception):
    """The service stops; what was not handled is still in the outbox, or in the queue."""


class Halt:
    """One thread's bell and stop sign."""

    def __init__(self) -> None:
        self._stopping = threading.Event()
        self._bell = threading.Event()
        self._complaint = Seldom(log)

    @property
    def stopping(self) -> bool:
        """Whether it is time to stop."""
        return self._stopping.is_set()

    def stop(self) -> None:
        """From now on every pause ends at once."""
        self._stopping.set()
        self._bell.set()

    def ring(self) -> None:
        """End a rest."""
        self._bell.set()

    def pause(self, seconds: float) -> None:
        """Wait; Stopped when the service stops meanwhile."""
        if self._stopping.wait(seconds):
            raise Stopped

    def rest(self, seconds: float) -> None:
        """Wait for the bell, but not longer; Stopped when the service stops meanwhile."""
        self._bell.wait(seconds)
        self._bell.clear()
        if self._stopping.is_set():
            raise Stopped

    def patiently(self, action: Callable[[], None]) -> bool:
        """Do it, and return whether it was done; when it fails, log that at most once a minute, and pause.

        Nothing may end the thread: descriptors or threads that are short now, or an engine that is away, come back.
        """
        try:
            action()
        except Stopped:
            return False
        except Exception as error:
            if not self.stopping:
                self._complaint.warning(
                    "carrying records failed (%s) and is tried again: %s", type(error).__name__, error
                )
                self._stopping.wait(TROUBLE_SECONDS)
            return False
        return True
