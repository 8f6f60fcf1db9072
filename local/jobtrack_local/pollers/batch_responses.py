"""Reads from a function's response which records of the batch failed."""

from collections.abc import Callable, Sequence

from jobtrack_local.runtime.events import Record
from jobtrack_local.runtime.function import HandlerFailed

PARTIAL = "ReportBatchItemFailures"
"""The value in FunctionResponseTypes without which Lambda ignores the response."""

Invoke = Callable[[Sequence[Record]], object]
"""Calls the function with a batch; raises HandlerFailed if the handler raised an exception or timed out."""


def invoke_batch(
    invoke: Invoke, records: Sequence[Record], identify: Callable[[Record], str], response_types: Sequence[str]
) -> set[str]:
    """Call the function and return the identifiers of the records to retry.

    Raises:
        HandlerFailed: the whole batch failed, or the response is invalid.
    """
    response = invoke(records)
    if PARTIAL not in response_types:
        return set()
    failed = _failed_identifiers(response)
    if failed - {identify(record) for record in records}:
        raise HandlerFailed("the response names records that are not in the batch")
    return failed


def _failed_identifiers(response: object) -> set[str]:
    """Return the identifiers in `batchItemFailures`. A response without this member means success."""
    failures = response.get("batchItemFailures") if isinstance(response, dict) else None
    if not failures:
        return set()
    if not isinstance(failures, list):
        raise HandlerFailed("batchItemFailures is not a list")
    return {_identifier(failure) for failure in failures}


def _identifier(failure: object) -> str:
    match failure:
        case {"itemIdentifier": str(name)} if name:
            return name
    raise HandlerFailed("an entry of batchItemFailures has no itemIdentifier")
