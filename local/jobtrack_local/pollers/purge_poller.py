"""Deletes what has expired, as DynamoDB and SQS do on AWS."""

from collections.abc import Callable

from jobtrack_local.pollers.control import PollerControl

PURGE_RATE = "rate(1 minute)"


class PurgePoller:
    """Purges an engine at the start, and then at a fixed interval."""

    def __init__(self, purge: Callable[[], None], interval: float, control: PollerControl) -> None:
        """`interval` is in seconds."""
        self.control = control
        self._purge = purge
        self._interval = interval

    def run(self) -> None:
        """Purge until stopped. A purge that fails, because the disk is full, is retried after the interval."""
        while not self.control.stopping:
            self.control.attempt(self._purge)
            self.control.attempt(lambda: self.control.pause(self._interval))
