"""What a function's answer says of the records that it was given."""

from collections.abc import Callable, Sequence

from jobtrack_local.pumps.invocation import HandlerFailed, Record

PARTIAL = "ReportBatchItemFailures"
"""What FunctionResponseTypes must hold for an answer to count at all."""

Invoke = Callable[[Sequence[Record]], object]
"""Calls the function with a batch; HandlerFailed when it raised, or ran out of time."""


def failures(
    invoke: Invoke, records: Sequence[Record], identify: Callable[[Record], str], response_types: Sequence[str]
) -> set[str]:
    """Call the function; the identifiers of the records to try again. HandlerFailed when that is all of them."""
    answer = invoke(records)
    if PARTIAL not in response_types:
        return set()
    failed = _reported(answer)
    if failed - {identify(record) for record in records}:
        raise HandlerFailed("the answer names records that were not given")
    return failed


def _reported(answer: object) -> set[str]:
    """Identifiers in `batchItemFailures`; an answer without it means that all went well."""
    listed = answer.get("batchItemFailures") if isinstance(answer, dict) else None
    if not listed:
        return set()
    if not isinstance(listed, list):
        raise HandlerFailed("batchItemFailures is no list")
    return {_identifier(failure) for failure in listed}


def _identifier(failure: object) -> str:
    match failure:
        case {"itemIdentifier": str(name)} if name:
            return name
    raise HandlerFailed("batchItemFailures names something without an itemIdentifier")
