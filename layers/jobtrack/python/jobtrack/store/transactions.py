"""Conditional writes: each is applied at most once, and a refused one returns the reason."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, cast

from botocore.exceptions import ClientError
from msgspec import Struct

from jobtrack.errors import Unavailable
from jobtrack.store import write_marks
from jobtrack.transient_errors import THROTTLED, passes

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

Item = Mapping[str, Any]

_CONFLICTS = frozenset({"TransactionConflict", "TransactionConflictException"})
_REFUSED = "ConditionalCheckFailed"
_UNKNOWN = "A response was lost, so it is unknown whether the request was stored. Check before you retry."


class Refusal(Struct, frozen=True):
    """An action whose condition failed: its index in the transaction, and the item as it is stored."""

    index: int
    item: Item | None


class Cancelled(Exception):
    """The write was not applied.

    `refusals` is empty if no condition was the reason: another transaction was writing to an item at the same time, or
    the table was throttled or unreachable (`outage`).
    """

    def __init__(self, refusals: Sequence[Refusal], outage: bool = False) -> None:
        super().__init__("an outage" if outage else f"{len(refusals)} conditions did not hold")
        self.refusals = refusals
        self.outage = outage

    def refusal_at(self, index: int) -> Refusal | None:
        """Return the refusal of the action with that index."""
        return next((refusal for refusal in self.refusals if refusal.index == index), None)

    def current_item(self, key: Item) -> Item | None:
        """Return the stored item with that key, if its condition failed."""
        items = (refusal.item for refusal in self.refusals if refusal.item)
        return next((item for item in items if all(item[name] == value for name, value in key.items())), None)


def commit(
    dynamodb: "DynamoDBClient", actions: "Sequence[TransactWriteItemTypeDef]", mark: bytes | None = None
) -> None:
    """Write all actions or none. A single action is written without a transaction, at half the price.

    If the response is lost, or is a server error, this looks up whether the write was applied.

    Raises:
        Cancelled: a condition failed, or another writer or an outage prevented the write.
        Unavailable: the response was lost, and reading the item did not show whether the write succeeded.
    """
    try:
        _write(dynamodb, actions, mark or write_marks.new_mark())
    except ClientError as error:
        raise _cancelled(error) from error


def write_conditionally(dynamodb: "DynamoDBClient", action: "TransactWriteItemTypeDef") -> bool:
    """Write one item, and return whether its condition held."""
    try:
        _write(dynamodb, [action], write_marks.new_mark())
    except ClientError as error:
        if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
            raise
        return False
    return True


def _write(dynamodb: "DynamoDBClient", actions: "Sequence[TransactWriteItemTypeDef]", mark: bytes) -> None:
    marked = [_marked(action, mark) for action in actions]
    try:
        _send(dynamodb, marked)
    except ClientError as error:
        if not (_in_doubt(error) and _applied(dynamodb, marked, mark)):
            raise


def _send(dynamodb: "DynamoDBClient", actions: Sequence[dict[str, Any]]) -> None:
    if len(actions) > 1:
        # botocore adds a ClientRequestToken, the same in all repetitions of a request. It does not make the marks
        # superfluous: it expires after ten minutes, not every emulator knows it, and single writes have none.
        dynamodb.transact_write_items(TransactItems=cast("Sequence[TransactWriteItemTypeDef]", actions))
    elif "Update" in actions[0]:
        dynamodb.update_item(**actions[0]["Update"])
    elif "Put" in actions[0]:
        dynamodb.put_item(**actions[0]["Put"])


def _marked(action: "TransactWriteItemTypeDef", mark: bytes) -> dict[str, Any]:
    """Return the action with the mark. An action without a condition needs no mark, as a repetition changes nothing."""
    if put := action.get("Put"):
        return {"Put": _marked_put(put, mark) if "ConditionExpression" in put else put}
    if update := action.get("Update"):
        return {"Update": _marked_update(update, mark) if "ConditionExpression" in update else update}
    return {**action}


def _marked_put(put: Item, mark: bytes) -> Item:
    marks = write_marks.add_mark(write_marks.read_marks(put["Item"]), mark)
    return {**put, "Item": {**put["Item"], write_marks.ATTRIBUTE: {"B": marks}}}


def _marked_update(update: Item, mark: bytes) -> Item:
    """Return the update with the mark. If the update already sets marks, these are kept."""
    name, value = f"#{write_marks.ATTRIBUTE}", f":{write_marks.ATTRIBUTE}"
    names, values = update.get("ExpressionAttributeNames", {}), update.get("ExpressionAttributeValues", {})
    expression = update["UpdateExpression"]
    if value not in values:
        rest = expression.removeprefix("SET ")
        expression = f"SET {name} = {value}{' ' if rest == expression else ', '}{rest}"
    marks = write_marks.add_mark(bytes(values.get(value, {"B": b""})["B"]), mark)
    return {
        **update,
        "UpdateExpression": expression,
        "ExpressionAttributeNames": {**names, name: write_marks.ATTRIBUTE},
        "ExpressionAttributeValues": {**values, value: {"B": marks}},
    }


def _in_doubt(error: ClientError) -> bool:
    """Return whether a write that failed may have been applied.

    botocore may have sent it several times. After a status of 500, a write "may have succeeded or failed"; botocore
    does not repeat it once its retry quota is used up.
    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html
    """
    sent: Mapping[str, Any] = error.response.get("ResponseMetadata", {})
    failed_inside: bool = sent.get("HTTPStatusCode", 0) >= HTTPStatus.INTERNAL_SERVER_ERROR
    repeated: bool = sent.get("RetryAttempts", 0) > 0
    return failed_inside or repeated


def _applied(dynamodb: "DynamoDBClient", actions: Sequence[dict[str, Any]], mark: bytes) -> bool:
    """Return whether the write was applied, judging by the mark of its last conditional action.

    For a request with an Idempotency-Key, this action writes the key's item, which no other writer overwrites.
    """
    conditional = [write for action in actions for write in action.values() if "ConditionExpression" in write]
    for write in reversed(conditional):
        if "Item" not in write and "UpdateExpression" not in write:
            continue  # a deleted item has no mark
        key = write.get("Key") or {name: write["Item"][name] for name in ("pk", "sk")}
        return _has_mark(dynamodb, write["TableName"], key, mark)
    return False


def _has_mark(dynamodb: "DynamoDBClient", table: str, key: Item, mark: bytes) -> bool:
    """Return whether an item has the mark.

    Raises:
        Unavailable: the item cannot be read or no longer shows it, so the write must not be repeated.
    """
    try:
        item = dynamodb.get_item(TableName=table, Key=key, ConsistentRead=True).get("Item", {})
    except ClientError as error:
        raise Unavailable(_UNKNOWN) from error
    is_marked = write_marks.contains_mark(write_marks.read_marks(item), mark)
    if is_marked is None:
        raise Unavailable(_UNKNOWN)
    return is_marked


def _cancelled(error: ClientError) -> Exception:
    """Return the exception for the writer: `Cancelled` if another attempt may succeed, else the error itself."""
    response: Mapping[str, Any] = error.response
    code = response["Error"]["Code"]
    if code == "ConditionalCheckFailedException":
        return Cancelled([Refusal(0, response.get("Item"))])
    if code in _CONFLICTS:
        return Cancelled([])
    if response.get("ResponseMetadata", {}).get("HTTPStatusCode") == HTTPStatus.SERVICE_UNAVAILABLE:
        return Unavailable()  # botocore has retried it, and a disk that is full stays full
    if passes(error):
        return Cancelled([], outage=True)
    reasons = response.get("CancellationReasons", [])
    harmless = _CONFLICTS | THROTTLED | {"None", _REFUSED}
    if code != "TransactionCanceledException" or any(reason.get("Code", "None") not in harmless for reason in reasons):
        return error
    return Cancelled(
        [Refusal(index, reason.get("Item")) for index, reason in enumerate(reasons) if reason.get("Code") == _REFUSED]
    )
