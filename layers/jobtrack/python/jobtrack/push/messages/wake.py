"""Wakes: they make the streamer look for events that a WebSocket subscription has not received."""

import hashlib
from typing import Self

from msgspec.structs import replace

from jobtrack import times
from jobtrack.keys import JobKey
from jobtrack.push.messages.queue_message import QueueMessage
from jobtrack.times import Micros

LONGEST_PAUSE_SECONDS = 60


class Wake(QueueMessage, frozen=True, tag="wake"):
    """A request to stream the events after a subscription's position, unless it has reached `sequence` (if given).

    It carries no event, so it may arrive more than once and in any order.
    """

    job: JobKey
    subscription_id: str
    sequence: int | None = None
    not_before: Micros = times.EPOCH
    failures: int = 0

    @property
    def group(self) -> str:
        """The message group in the queue: one for each subscription."""
        digest = hashlib.sha256(self.subscription_id.encode()).hexdigest()[:16]
        return f"{self.job.tenant}-{digest}"

    def later(self, not_before: Micros) -> Self:
        """Return the wake for a later time."""
        return replace(self, not_before=not_before)

    def after_failure(self, now: Micros) -> Self:
        """Return the wake after a pause, which doubles with each failure in a row up to a minute."""
        seconds = min(LONGEST_PAUSE_SECONDS, 2 ** min(self.failures, 10))
        return replace(self, not_before=times.add_seconds(now, seconds), failures=self.failures + 1)
