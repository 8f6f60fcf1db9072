"""Errors of AWS services that a retry can cure: the service throttles, fails internally, or cannot be reached."""

from botocore.exceptions import ClientError, ConnectionError, HTTPClientError

THROTTLED = frozenset(
    {
        "BandwidthLimitExceeded",
        "KmsThrottled",
        "LimitExceeded",
        "LimitExceededException",
        "OverLimit",
        "ProvisionedThroughputExceeded",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "SlowDown",
        "ThrottledException",
        "Throttling",
        "ThrottlingError",
        "ThrottlingException",
        "TooManyRequestsException",
        "TransactionInProgressException",
    }
)
"""The error codes of DynamoDB, KMS and SQS for too many requests."""

_UNAVAILABLE = frozenset(
    {
        "DependencyTimeout",
        "DependencyTimeoutException",
        "InternalError",
        "InternalFailure",
        "InternalServerError",
        "InternalServerErrorException",
        "KMSInternalException",
        "KeyUnavailableException",
        "PriorRequestNotComplete",
        "RequestTimeout",
        "RequestTimeoutException",
        "ServiceUnavailable",
        "ServiceUnavailableException",
    }
)


def passes(error: Exception) -> bool:
    """Return whether the same call may succeed later, because the cause is the service and not the request."""
    if isinstance(error, ClientError):
        codes = _codes(error)
        return (bool(codes) and codes <= THROTTLED | _UNAVAILABLE) or _status(error) >= 500
    return isinstance(error, ConnectionError | HTTPClientError)


def _codes(error: ClientError) -> set[str]:
    """Return the code of the error; for a cancelled transaction, the codes of its actions."""
    response: dict[str, object] = {**error.response}
    code = error.response["Error"]["Code"]
    reasons = response.get("CancellationReasons")
    if code != "TransactionCanceledException" or not isinstance(reasons, list):
        return {code}
    return {reason.get("Code", "None") for reason in reasons} - {"None"}


def _status(error: ClientError) -> int:
    return error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
