"""The errors of requests, and their HTTP statuses.

JobTrackError
├── InvalidRequest          400 malformed, or an argument that cannot be parsed
├── Unauthorized            401
├── Forbidden               403
├── NotFound                404
├── Conflict                409
│   ├── InvalidTransition       the job's status does not allow the event
│   └── IdempotencyMismatch     the same key was used with another body
├── TooLarge                413
├── UnsupportedMediaType    415
├── Unprocessable           422 an invalid value
├── JobBusy                 429 too many concurrent writers
├── Unavailable             503 the store is throttled or unavailable
└── UnreadableFormat        503 another release stored the item
"""

from collections.abc import Sequence
from typing import ClassVar

from msgspec import Struct

RETRY_SECONDS = 2
"""Seconds until a retry after an outage."""


class Fault(Struct, frozen=True):
    """An invalid value: a JSON pointer (or `/query/name`) and what is wrong."""

    pointer: str
    detail: str


class JobTrackError(Exception):
    """A request that is refused. The response is problem+json."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal_error"
    title: ClassVar[str] = "Internal error"

    def __init__(self, detail: str, faults: Sequence[Fault] = (), retry_after: int | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.faults = tuple(faults)
        self.retry_after = retry_after


class InvalidRequest(JobTrackError):
    """The request cannot be parsed."""

    status, code, title = 400, "invalid_request", "Malformed request"


class Unauthorized(JobTrackError):
    """There is no valid token."""

    status, code, title = 401, "unauthorized", "No valid token"


class Forbidden(JobTrackError):
    """The token does not allow the request, whether or not the resource exists."""

    status, code, title = 403, "forbidden", "Not allowed"


class NotFound(JobTrackError):
    """The resource does not exist in the project."""

    status, code, title = 404, "not_found", "Not found"


class Conflict(JobTrackError):
    """The request contradicts the stored state."""

    status, code, title = 409, "conflict", "Conflict"


class InvalidTransition(Conflict):
    """The job's status does not allow the reported event."""

    code, title = "invalid_transition", "Not allowed in this status"


class IdempotencyMismatch(Conflict):
    """The same Idempotency-Key was used with another body."""

    code, title = "idempotency_mismatch", "Idempotency-Key was used for another request"


class TooLarge(JobTrackError):
    """The request is larger than a limit."""

    status, code, title = 413, "too_large", "Request too large"


class UnsupportedMediaType(JobTrackError):
    """The body is not JSON."""

    status, code, title = 415, "unsupported_media_type", "Unsupported media type"


class Unprocessable(JobTrackError):
    """A value is invalid."""

    status, code, title = 422, "unprocessable", "Invalid value"


class JobBusy(JobTrackError):
    """Too many requests change the job or subscription at the same time."""

    status, code, title = 429, "job_busy", "Too many changes at once"


class Unavailable(JobTrackError):
    """A service that this one needs is throttled or unavailable."""

    status, code, title = 503, "unavailable", "Unavailable for now"

    def __init__(self, detail: str = "The service is overloaded or cannot reach its store; try again.") -> None:
        super().__init__(detail, retry_after=RETRY_SECONDS)


class UnreadableFormat(JobTrackError):
    """A stored value has a format of another release: this stack was rolled back, or is just being updated.

    A function must not wait until the value can be read, unlike after `Unavailable`. An outbox record, for example, is
    quarantined.
    """

    status, code, title = 503, "unavailable", "Stored by another release"

    def __init__(self, detail: str) -> None:
        super().__init__(detail, retry_after=RETRY_SECONDS)
