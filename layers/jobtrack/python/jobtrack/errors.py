"""Everything that can be wrong with a request, and how it is answered.

JobTrackError
├── InvalidRequest          400 malformed, or an argument that cannot be read
├── Unauthorized            401
├── Forbidden               403
├── NotFound                404
├── Conflict                409
│   ├── InvalidTransition       a status cannot follow another
│   └── IdempotencyMismatch     the same key with another body
├── TooLarge                413
├── UnsupportedMediaType    415
├── Unprocessable           422 a value out of contract
├── JobBusy                 429 too many writers at once
└── Unavailable             503 the store is throttled or away
"""

from collections.abc import Sequence
from typing import ClassVar

from msgspec import Struct

RETRY_SECONDS = 2
"""When to try again after an outage."""


class Fault(Struct, frozen=True):
    """One wrong value: a JSON pointer (or `query/name`) and what is wrong with it."""

    pointer: str
    detail: str


class JobTrackError(Exception):
    """A request that cannot be served; answered as problem+json."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal_error"
    title: ClassVar[str] = "Internal error"

    def __init__(self, detail: str, faults: Sequence[Fault] = (), retry_after: int | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.faults = tuple(faults)
        self.retry_after = retry_after


class InvalidRequest(JobTrackError):
    """The request cannot be read."""

    status, code, title = 400, "invalid_request", "Malformed request"


class Unauthorized(JobTrackError):
    """There is no token, or none that can be trusted."""

    status, code, title = 401, "unauthorized", "No valid token"


class Forbidden(JobTrackError):
    """The token does not allow it; says nothing of whether the thing exists."""

    status, code, title = 403, "forbidden", "Not allowed"


class NotFound(JobTrackError):
    """There is no such thing in the project."""

    status, code, title = 404, "not_found", "Not found"


class Conflict(JobTrackError):
    """The request contradicts what is stored."""

    status, code, title = 409, "conflict", "Conflict"


class InvalidTransition(Conflict):
    """The job's status does not allow what was reported."""

    code, title = "invalid_transition", "Status does not allow it"


class IdempotencyMismatch(Conflict):
    """The same Idempotency-Key came with another body."""

    code, title = "idempotency_mismatch", "Idempotency-Key was used for another request"


class TooLarge(JobTrackError):
    """The request is larger than a limit."""

    status, code, title = 413, "too_large", "Request too large"


class UnsupportedMediaType(JobTrackError):
    """The body is not JSON."""

    status, code, title = 415, "unsupported_media_type", "Unsupported media type"


class Unprocessable(JobTrackError):
    """A value is out of contract."""

    status, code, title = 422, "unprocessable", "Value out of contract"


class JobBusy(JobTrackError):
    """Too many writers report to the job at once."""

    status, code, title = 429, "job_busy", "Too many writers at once"


class Unavailable(JobTrackError):
    """A service that this one needs is throttled or away."""

    status, code, title = 503, "unavailable", "Unavailable for now"

    def __init__(self, detail: str = "The service is overloaded or cannot reach its store; try again.") -> None:
        super().__init__(detail, retry_after=RETRY_SECONDS)
