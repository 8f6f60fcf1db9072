"""The SQLite engine responds as DynamoDB Local does, to every request and with every error."""

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError, ParamValidationError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.engine import operations
from tests.engine.operations import TABLE, Request

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

SEQUENCES = int(os.environ.get("JOBTRACK_ENGINE_SEQUENCES", "100"))
"""Random sequences of up to 40 requests, 20 on average."""

_IGNORED = frozenset({"ResponseMetadata", "ConsumedCapacity", "ItemCollectionMetrics"})


@pytest.fixture(scope="module", autouse=True)
def tables(candidate: "DynamoDBClient", reference: "DynamoDBClient") -> None:
    for client in (candidate, reference):
        client.create_table(**operations.DEFINITION)


@settings(max_examples=SEQUENCES, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(operations.requests, min_size=1, max_size=40))
def test_every_response_is_the_same(
    candidate: "DynamoDBClient", reference: "DynamoDBClient", requests: Sequence[Request]
) -> None:
    for client in (candidate, reference):
        _clear(client)
    for request in requests:
        ours, theirs = _response(candidate, request), _response(reference, request)
        assert ours == theirs or _known_difference(ours, theirs)
        if _known_difference(ours, theirs):
            break
    assert _items(candidate) == _items(reference)


def _known_difference(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> bool:
    """Whether DynamoDB Local differs from DynamoDB here: it changes nothing in either case.

    DynamoDB cancels a transaction with the reason ValidationError where an update does not fit the item:
    https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html
    It refuses two actions on one item before it looks at conditions. DynamoDB Local gives no reasons for the actions
    after one that does not fit.
    """
    codes = ours.get("error"), theirs.get("error")
    if codes == ("TransactionCanceledException", "TransactionCanceledException"):
        return theirs["reasons"][-1]["Code"] == "ValidationError" and _begins_with(ours["reasons"], theirs["reasons"])
    if codes == ("TransactionCanceledException", "ValidationException"):
        return any(reason["Code"] == "ValidationError" for reason in ours["reasons"])
    return codes == ("ValidationException", "TransactionCanceledException") and "multiple operations" in ours["message"]


def _begins_with(reasons: Sequence[Any], first: Sequence[Any]) -> bool:
    return reasons[: len(first)] == first


def _response(client: "DynamoDBClient", request: Request) -> dict[str, Any]:
    name, params = request
    try:
        response = getattr(client, name)(**params)
    except ParamValidationError:
        return {"error": "botocore"}
    except ClientError as error:
        return _error(error)
    members = {member: value for member, value in response.items() if member not in _IGNORED}
    return _comparable(name, members)


def _error(error: ClientError) -> dict[str, Any]:
    response: Mapping[str, Any] = error.response
    reasons = [
        {"Code": reason.get("Code"), "Item": _plain(reason.get("Item", {}))}
        for reason in response.get("CancellationReasons", [])
    ]
    code, item = response["Error"]["Code"], _plain(response.get("Item", {}))
    return _Error(error=code, item=item, reasons=reasons, message=response["Error"]["Message"])


class _Error(dict[str, Any]):
    """An error, compared without its message."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, dict) and {**self, "message": ""} == {**other, "message": ""}

    __hash__ = None


def _comparable(name: str, response: dict[str, Any]) -> dict[str, Any]:
    """Return a response without the order of items, where DynamoDB promises none."""
    plain: dict[str, Any] = _plain(response)
    if name == "scan":
        plain["Items"] = sorted(plain["Items"], key=repr)
    if name == "batch_get_item":
        plain["Responses"] = {table: sorted(items, key=repr) for table, items in plain["Responses"].items() if items}
    return plain


def _plain(value: Any) -> Any:
    """Return a value with numbers as numbers, sets as sets, and members in order."""
    if isinstance(value, list):
        return [_plain(member) for member in value]
    if not isinstance(value, dict):
        return value
    with suppress(ValueError):
        ((kind, held),) = value.items()
        match kind:
            case "N":
                return {"N": Decimal(held).normalize() + 0}  # no negative zero
            case "NS":
                return {"NS": sorted(Decimal(member).normalize() + 0 for member in held)}
            case "SS" | "BS":
                return {kind: sorted(held)}
    return {name: _plain(value[name]) for name in sorted(value)}


def _items(client: "DynamoDBClient") -> list[Any]:
    return sorted((_plain(item) for item in client.scan(TableName=TABLE, ConsistentRead=True)["Items"]), key=repr)


def _clear(client: "DynamoDBClient") -> None:
    for item in client.scan(TableName=TABLE, ConsistentRead=True)["Items"]:
        client.delete_item(TableName=TABLE, Key={name: item[name] for name in ("pk", "sk")})
