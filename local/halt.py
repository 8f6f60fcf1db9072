"""How a thread that carries things is told to stop, or that there is something to carry."""

import logging
import threading
from collections.abc import Callable

from botocore.exceptions import BotoCoreError, ClientError

log = logging.getLogger(__name__)

TROUBLE_SECONDS = 1.0


class Stopped(Exception):
    """The service stops; what was not handled is still in the outbox, or in the queue."""


class Halt:
    """One thread's bell and stop sign."""

    def __init__(self) -> None:
        self._stopping = threading.Event()
        self._bell = threading.Event()

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
        """Do it, and say whether it was done; when the engine fails, tell, and give it a moment."""
        try:
            action()
        except Stopped:
            return False
        except (BotoCoreError, ClientError) as error:
            if not self.stopping:
                log.warning("the engine does not answer: %s", error)
                self._stopping.wait(TROUBLE_SECONDS)
            return False
        return True
