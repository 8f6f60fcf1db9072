"""An attempt to deliver a message, and its result."""

from enum import Enum

from msgspec import Struct

from jobtrack.push.egress.guarded_post import EgressError, Response
from jobtrack.times import Micros

GONE = 410


class Attempt(Struct, frozen=True):
    """The stored form of an attempt, with the status code, or the reason why there is no response."""

    time: Micros
    milliseconds: int
    status_code: int | None = None
    error: str | None = None


class Outcome(Enum):
    """The outcome of an attempt, as the circuit breaker counts it."""

    DELIVERED = "a 2xx status"
    GONE = "status 410"
    FAILED = "another status, or no response"
    NOT_SENT = "the message was not sent"


class AttemptResult(Struct, frozen=True):
    """The result of an attempt: the response, or the reason why there is no response."""

    started: Micros
    seconds: float
    response: Response | EgressError

    @property
    def outcome(self) -> Outcome:
        """The outcome by the response's status."""
        if isinstance(self.response, EgressError):
            return Outcome.FAILED
        if 200 <= self.response.status < 300:
            return Outcome.DELIVERED
        return Outcome.GONE if self.response.status == GONE else Outcome.FAILED

    @property
    def attempt(self) -> Attempt:
        """The attempt to store."""
        milliseconds = round(1000 * self.seconds)
        if isinstance(self.response, EgressError):
            return Attempt(self.started, milliseconds, error=str(self.response))
        return Attempt(self.started, milliseconds, self.response.status)

    @property
    def retry_after(self) -> str | None:
        """The Retry-After header of the response."""
        return None if isinstance(self.response, EgressError) else self.response.retry_after
