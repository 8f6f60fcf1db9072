"""The exceptions that calls raise.

JobTrackError
├── ConfigurationError      an address, token or id is missing or invalid
├── TokenUnavailable        the token callable or command failed
├── WebhookVerificationError  a webhook has no valid signature, or is too old
├── Unreachable             no response: connection refused, reset, no such host
│   └── TimedOut                no response in time
└── ApiError                the service responded with an error
    ├── BadRequest              400
    ├── Unauthorized            401
    ├── Forbidden               403
    ├── NotFound                404
    ├── RequestTimeout          408
    ├── Conflict                409
    │   └── InProgress              with Retry-After: the first request is in progress
    ├── TooLarge                413
    ├── UnsupportedMediaType    415
    ├── Unprocessable           422
    ├── TooManyRequests         429
    ├── ServerError             5xx
    └── UnexpectedResponse        a redirect, or a success without JSON
"""

from collections.abc import Sequence
from dataclasses import dataclass

from jobtrack_client._runtime.visible_text import visible


@dataclass(frozen=True, slots=True)
class Fault:
    """An invalid value of a request: a JSON pointer to the value, and the problem."""

    pointer: str
    detail: str


class Misuse(TypeError):
    """Wrong arguments: a mistake in the program. Reporting calls raise no other TypeError."""


class JobTrackError(Exception):
    """A call failed."""

    transient: bool = False
    """Whether the same request may succeed later."""
    retry_after: float | None = None
    """The seconds that the service asks to wait before the next attempt."""


class ConfigurationError(JobTrackError):
    """An address, token or id is missing or invalid."""


class TokenUnavailable(JobTrackError):
    """The token callable or command failed. It is called again for the next attempt."""

    transient = True


class WebhookVerificationError(JobTrackError):
    """A webhook has no valid signature, or is too old."""


class Unreachable(JobTrackError):
    """There was no response. The service may have processed the request."""

    transient = True


class TimedOut(Unreachable):
    """There was no response in time. The service may have processed the request."""


class ApiError(JobTrackError):
    """The service responded with an error. Attributes come from its problem details (RFC 9457), if sent."""

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        code: str | None = None,
        title: str | None = None,
        request_id: str | None = None,
        errors: Sequence[Fault] = (),
        retry_after: float | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.code = code
        self.title = title
        self.request_id = request_id
        self.errors: tuple[Fault, ...] = tuple(errors)
        self.retry_after = retry_after

    def __str__(self) -> str:
        """Return the status, code, detail and the invalid values that the detail does not name, on one line."""
        head = " ".join(str(part) for part in (self.status, self.code) if part)
        unnamed = [fault for fault in self.errors if fault.pointer not in self.detail]
        return visible("; ".join([f"{head}: {self.detail}", *(f"{fault.pointer} {fault.detail}" for fault in unnamed)]))


class BadRequest(ApiError):
    """The request is malformed."""


class Unauthorized(ApiError):
    """The token is missing, invalid or expired."""


class Forbidden(ApiError):
    """The token does not allow the request."""


class NotFound(ApiError):
    """The project has no such job, subscription or message."""


class RequestTimeout(ApiError):
    """The request took too long to arrive."""

    transient = True


class Conflict(ApiError):
    """The request conflicts with the stored state."""


class InProgress(Conflict):
    """The first request with this Idempotency-Key is still in progress."""

    transient = True


class TooLarge(ApiError):
    """The request is too large."""


class UnsupportedMediaType(ApiError):
    """The service does not accept this type of body."""


class Unprocessable(ApiError):
    """A value is invalid. `errors` lists each one."""


class TooManyRequests(ApiError):
    """There are too many requests, or too many writers at once."""

    transient = True


class ServerError(ApiError):
    """The service failed."""

    transient = True


class UnexpectedResponse(ApiError):
    """The response is not from this service. It may be the error page of a proxy."""

    transient = True
