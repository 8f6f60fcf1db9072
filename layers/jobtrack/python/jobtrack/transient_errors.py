"""Errors of AWS services that pass by themselves: a service throttles, fails inside, or cannot be reached."""

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
"""What DynamoDB, KMS and SQS answer when they are asked too much at once."""

_AWAY = frozenset(
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
    """Whether the same call may succeed a moment later, because the service was the reason and not what was asked."""
    if isinstance(error, ClientError):
        codes = _codes(error)
        return (bool(codes) and codes <= THROTTLED | _AWAY) or _status(error) >= 500
    return isinstance(error, ConnectionError | HTTPClientError)


def _codes(error: ClientError) -> set[str]:
    """The error's code; of a cancelled transaction, what each of its actions was refused for."""
    response: dict[str, object] = {**error.response}
    code = error.response["Error"]["Code"]
    reasons = response.get("CancellationReasons")
    if code != "TransactionCanceledException" or not isinstance(reasons, list):
        return {code}
    return {reason.get("Code", "None") for reason in reasons} - {"None"}


def _status(error: ClientError) -> int:
    return error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
