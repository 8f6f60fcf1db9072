"""Sends the same requests to both engines, and compares what can be compared of their responses."""

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError, ParamValidationError
from hypothesis import HealthCheck, Phase, settings

from tests.engine.operations import INDEXES, TABLE, Request
from tests.prove.scale import FULL

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

Response = Mapping[str, Any]

RANGE_KEYS = {index["IndexName"]: index["KeySchema"][1]["AttributeName"] for index in INDEXES}

RANDOM = settings(suppress_health_check=list(HealthCheck), database=None, phases=[Phase.generate], derandomize=not FULL)
"""Settings of the random comparisons. A failing sequence is short already; to shrink it would take minutes.

Only the full proof draws new requests each time. The tests of a change compare the same requests as before it.
"""
KEY_NAMES = ("pk", "sk")

_IGNORED = frozenset({"ResponseMetadata", "ConsumedCapacity", "ItemCollectionMetrics"})


class Pair:
    """The SQLite engine and DynamoDB Local, with the number of compared requests by outcome."""

    def __init__(self, candidate: "DynamoDBClient", reference: "DynamoDBClient") -> None:
        self.candidate = candidate
        self.reference = reference
        self.outcomes: Counter[str] = Counter()
        self.differences: Counter[str] = Counter()
        """Known differences by name."""

    def compare(self, request: Request) -> Response:
        """Assert that both respond alike, but for the known differences; returns our response."""
        ours, theirs = response(self.candidate, request), response(self.reference, request)
        difference = known_difference(request, ours, theirs)
        same = difference or ours == theirs
        assert same, f"{_short(request)}: ours {_short(ours)}, theirs {_short(theirs)}"
        self.outcomes[ours.get("error", "success")] += 1
        self.differences[difference] += bool(difference)
        return ours

    def compare_all(self, requests: Sequence[Request]) -> None:
        """Compare each response, beginning with empty tables, and then the items."""
        for client in (self.candidate, self.reference):
            clear(client)
        for request in requests:
            self.compare(request)
        assert items(self.candidate) == items(self.reference)

    @property
    def total(self) -> int:
        """The number of compared requests."""
        return self.outcomes.total()

    def figures(self) -> str:
        """Return the counts in one line."""
        outcomes = ", ".join(f"{count} {name}" for name, count in self.outcomes.most_common())
        known = ", ".join(f"{count} {name}" for name, count in self.differences.most_common() if name)
        return f"{self.total} requests compared without a difference ({outcomes}); known: {known or 'none'}"


MISFITS = (
    "An operand in the update expression has an incorrect data type",
    "Item size to update has exceeded the maximum allowed size",
    "Number overflow. Attempting to store a number with magnitude larger than supported range",
    "Number underflow. Attempting to store a number with magnitude smaller than supported range",
    "Attempting to store more than 38 significant digits in a Number",
    "Nesting Levels have exceeded supported limits",
    "The document path provided in the update expression is invalid for update",
    "The provided expression refers to an attribute that does not exist in the item",
    "One or more parameter values are not valid. The update expression attempted to update a secondary index key",
    "One or more parameter values were invalid: Size limit exceeded",
    "Invalid attribute value type",
)
"""Causes, found when an update meets its item, for which DynamoDB cancels a transaction with the reason
ValidationError. DynamoDB Local refuses the transaction.
https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html"""


def known_difference(request: Request, ours: Response, theirs: Response) -> str:
    """Return the name of the difference where DynamoDB Local deviates from DynamoDB's documentation, or nothing.

    In each of them neither engine changes anything.
    """
    match ours.get("error"), theirs.get("error"):
        case "TransactionCanceledException", "TransactionCanceledException":
            return _shorter_reasons(ours["reasons"], theirs["reasons"])
        case "TransactionCanceledException", "ValidationException":
            misfit = any(reason["Code"] == "ValidationError" for reason in ours["reasons"])
            return "misfit, cancelled" if misfit and theirs["message"].startswith(MISFITS) else ""
        case "ValidationException", "TransactionCanceledException":
            return _refused_first(request, ours["message"], theirs["reasons"])
        case _:
            return ""


def _shorter_reasons(ours: Sequence[Response], theirs: Sequence[Response]) -> str:
    """DynamoDB gives a reason for each action. DynamoDB Local stops at the first that does not fit its item."""
    stopped = theirs[-1]["Code"] == "ValidationError" and len(theirs) < len(ours)
    return "reasons after a misfit" if stopped and ours[: len(theirs)] == theirs else ""


def _refused_first(request: Request, message: str, theirs: Sequence[Response]) -> str:
    """Two actions on one item, and a change of a key, are errors of the request, whatever the items are."""
    if _names_an_item_twice(request):
        return "one item twice, refused"
    alone = [reason["Code"] for reason in theirs] == ["ValidationError"]
    return "change of a key, refused" if alone and "This attribute is part of the key" in message else ""


def _names_an_item_twice(request: Request) -> bool:
    actions = [params for action in request[1].get("TransactItems", ()) for params in action.values()]
    keys = [params.get("Key") or params["Item"] for params in actions]
    names = [
        (params["TableName"], *(repr(plain(key.get(name))) for name in KEY_NAMES))
        for params, key in zip(actions, keys, strict=True)
    ]
    return len(set(names)) < len(names)


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) < 3000 else f"{text[:1500]} ... {text[-1500:]}"


def response(client: "DynamoDBClient", request: Request) -> Response:
    """Return what can be compared of a response or of an error."""
    name, params = request
    try:
        returned = getattr(client, name)(**params)
    except ParamValidationError:
        return {"error": "botocore"}
    except ClientError as error:
        return _error(error)
    return _comparable(request, {member: value for member, value in returned.items() if member not in _IGNORED})


def _error(error: ClientError) -> Response:
    returned: Mapping[str, Any] = error.response
    reasons = [
        {"Code": reason.get("Code"), "Item": plain(reason.get("Item", {}))}
        for reason in returned.get("CancellationReasons", [])
    ]
    code, item = returned["Error"]["Code"], plain(returned.get("Item", {}))
    return Failure(error=code, item=item, reasons=reasons, message=returned["Error"]["Message"])


class Failure(dict[str, Any]):
    """An error, compared without its message."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, dict) and {**self, "message": ""} == {**other, "message": ""}

    __hash__ = None


def _comparable(request: Request, returned: dict[str, Any]) -> Response:
    """Return a response without the order of items, where DynamoDB promises none."""
    name, params = request
    comparable: dict[str, Any] = plain(returned)
    if name == "scan" and "Items" in comparable:
        comparable["Items"] = sorted(comparable["Items"], key=repr)
    if name == "batch_get_item":
        tables = comparable["Responses"].items()
        comparable["Responses"] = {table: sorted(found, key=repr) for table, found in tables if found}
    return _without_order_of_equals(comparable, RANGE_KEYS[params["IndexName"]]) if _of_index(params) else comparable


def _of_index(params: Mapping[str, Any]) -> bool:
    return "IndexName" in params


def _without_order_of_equals(comparable: dict[str, Any], range_key: str) -> Response:
    """Return a page of an index, in which items with equal range keys have no order: a page may end between them."""
    found = comparable.get("Items", [])
    comparable["order"] = [item.get(range_key) for item in found]
    last = comparable.get("LastEvaluatedKey")
    comparable["Items"] = [] if last else sorted(found, key=repr)
    comparable["LastEvaluatedKey"] = last and last[range_key]
    return comparable


def plain(value: Any) -> Any:
    """Return a value with numbers as numbers, sets as sets, and members in order."""
    if isinstance(value, list):
        return [plain(member) for member in value]
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
    return {name: plain(value[name]) for name in sorted(value)}


def items(client: "DynamoDBClient") -> list[Any]:
    """Return all items in an order of their own."""
    pages = client.get_paginator("scan").paginate(TableName=TABLE, ConsistentRead=True)
    return sorted((plain(item) for page in pages for item in page["Items"]), key=repr)


def clear(client: "DynamoDBClient") -> None:
    """Delete all items."""
    pages = client.get_paginator("scan").paginate(TableName=TABLE, ConsistentRead=True, ProjectionExpression="pk, sk")
    for item in [item for page in pages for item in page["Items"]]:
        client.delete_item(TableName=TABLE, Key=item)
