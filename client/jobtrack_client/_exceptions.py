"""Everything that a call can raise.

JobTrackError
├── ConfigurationError      an address, token or id is missing or cannot be used
├── TokenUnavailable        the callable that gives the token failed
├── WebhookVerificationError  a webhook is not the service's, or not of now
├── Unreachable             no answer came: connection refused, reset, no such host
│   └── TimedOut                none came in time
└── ApiError                the service answered that it will not
    ├── BadRequest              400
    ├── Unauthorized            401
    ├── Forbidden               403
    ├── NotFound                404
    ├── RequestTimeout          408
    ├── Conflict                409
    │   └── InProgress              with Retry-After: the first try is under way
    ├── TooLarge                413
    ├── UnsupportedMediaType    415
    ├── Unprocessable           422
    ├── TooManyRequests         429
    ├── ServerError             5xx
    └── UnexpectedAnswer        a redirect, or a success that is not JSON
"""

from collections.abc import Sequence
from dataclasses import dataclass

from jobtrack_client._runtime.visible_text import visible


@dataclass(frozen=True, slots=True)
class Fault:
    """One wrong value of a request: a JSON pointer to it and what is wrong with it."""

    pointer: str
    detail: str


class Misuse(TypeError):
    """Arguments that can only be a mistake of the program; reporting raises it, whatever else it keeps to itself."""


class JobTrackError(Exception):
    """A call that did not succeed."""

    transient: bool = False
    """Whether the same request may succeed later."""
    retry_after: float | None = None
    """Seconds that the service asked to wait."""


class ConfigurationError(JobTrackError):
    """An address, token or id is missing or cannot be used."""


class TokenUnavailable(JobTrackError):
    """The callable that gives the token failed; it is asked again for the next try."""

    transient = True


class WebhookVerificationError(JobTrackError):
    """A request is no webhook of the service, or not one of now."""


class Unreachable(JobTrackError):
    """No answer came; the service may have done what it was asked."""

    transient = True


class TimedOut(Unreachable):
    """No answer came in time; the service may have done what it was asked."""


class ApiError(JobTrackError):
    """The service answered with an error; its members are those of the RFC 9457 problem, where it sent one."""

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
        """Status, code, detail and each wrong value that the detail does not name itself, on one line of safe text."""
        head = " ".join(str(part) for part in (self.status, self.code) if part)
        unnamed = [fault for fault in self.errors if fault.pointer not in self.detail]
        return visible("; ".join([f"{head}: {self.detail}", *(f"{fault.pointer} {fault.detail}" for fault in unnamed)]))


class BadRequest(ApiError):
    """The request cannot be read."""


class Unauthorized(ApiError):
    """There is no token, or it is not or no longer valid."""


class Forbidden(ApiError):
    """The token does not allow it."""


class NotFound(ApiError):
    """There is no such thing in the project."""


class RequestTimeout(ApiError):
    """The request took too long to arrive."""

    transient = True


class Conflict(ApiError):
    """The request contradicts what is stored."""


class InProgress(Conflict):
    """The first try of this request is still under way."""

    transient = True


class TooLarge(ApiError):
    """The request is larger than a limit."""


class UnsupportedMediaType(ApiError):
    """The body is not what the service reads."""


class Unprocessable(ApiError):
    """A value is out of contract; `errors` says which."""


class TooManyRequests(ApiError):
    """Too many requests or writers at once."""

    transient = True


class ServerError(ApiError):
    """The service failed."""

    transient = True


class UnexpectedAnswer(ApiError):
    """The answer is none of this service, such as a proxy's page while the service is down."""

    transient = True
