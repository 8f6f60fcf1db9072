"""Wakes: the word to a WebSocket subscription's streamer that there may be something to tell."""

import hashlib
import json
from typing import Self

import orjson
from msgspec import Struct
from msgspec.structs import replace

from jobtrack.keys import JobKey

LONGEST_PAUSE = 60


class Wake(Struct, frozen=True):
    """Tell the subscription what follows its position, if that is before `sequence` (None: whatever it is).

    It holds no event, so however often it comes, and in whatever order, it does no harm.
    """

    job: JobKey
    subscription_id: str
    sequence: int | None = None
    not_before: float = 0.0
    failures: int = 0

    @property
    def group(self) -> str:
        """The queue's message group: each subscription is one."""
        name = hashlib.sha256(self.subscription_id.encode()).hexdigest()[:16]
        return f"{self.job.tenant}-{name}"

    def later(self, not_before: float) -> Self:
        """The same, later (epoch seconds)."""
        return replace(self, not_before=not_before)

    def after_failure(self, now: float) -> Self:
        """The same, after a pause that doubles with each failure in a row, up to a minute."""
        pause = min(LONGEST_PAUSE, 2**self.failures)
        return replace(self, not_before=now + pause, failures=min(self.failures + 1, LONGEST_PAUSE))

    def encode(self) -> str:
        """The body of the queue's message, in pure ASCII."""
        told = {
            "tenantId": self.job.tenant,
            "projectId": self.job.project,
            "jobId": self.job.job,
            "subscriptionId": self.subscription_id,
            "sequence": self.sequence,
            "notBefore": self.not_before,
            "failures": self.failures,
        }
        return json.dumps({"wake": told}, separators=(",", ":"))

    @classmethod
    def decode(cls, body: str) -> Self | None:
        """Read what `encode` wrote; None when it is a message."""
        stored = orjson.loads(body).get("wake")
        if stored is None:
            return None
        return cls(
            job=JobKey(stored["tenantId"], stored["projectId"], stored["jobId"]),
            subscription_id=stored["subscriptionId"],
            sequence=stored["sequence"],
            not_before=stored["notBefore"],
            failures=stored["failures"],
        )
