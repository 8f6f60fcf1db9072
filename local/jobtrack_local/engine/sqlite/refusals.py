"""Errors of the engine, as AWS returns them."""

from typing import Any


class Refused(Exception):
    """A request that the engine refuses.

    Args:
        code: AWS's error code, for example `ValidationException`.
        message: AWS's text.
        status: The HTTP status of the response.
        members: Further members of the error response, for example `CancellationReasons`.
    """

    def __init__(self, code: str, message: str, status: int = 400, **members: Any) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status
        self.members = members


def failed(reason: str) -> Refused:
    """Return the error of an engine that cannot read or write now, so that clients of the API get a 503."""
    return Refused("ServiceUnavailable", f"The engine failed: {reason}", 503)


def invalid(message: str) -> Refused:
    """Return the error for a request that breaks a rule of DynamoDB."""
    return Refused("ValidationException", message)


class UnfitItem(Refused):
    """A key or an item that does not fit its table; a transaction returns this error as a cancellation reason."""

    def __init__(self, message: str) -> None:
        super().__init__("ValidationException", message)
