"""Conditional writes: each is applied once, and says why it was refused."""

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
_UNKNOWN = "It is not known whether the request was stored: a response was lost. Look before you retry."


class Refusal(Struct, frozen=True):
    """An action whose condition did not hold: its place in the transaction, and the item as it stands."""

    index: int
    item: Item | None


class Cancelled(Exception):
    """The write was not applied.

    `refusals` is empty where no condition was the reason: another writer was at work on an item, or the service was
    throttled or away (`outage`).
    """

    def __init__(self, refusals: Sequence[Refusal], outage: bool = False) -> None:
        super().__init__("an outage" if outage else f"{len(refusals)} conditions did not hold")
        self.refusals = refusals
        self.outage = outage

    def refusal_at(self, index: int) -> Refusal | None:
        """The refusal of the action at that place."""
        return next((refusal for refusal in self.refusals if refusal.index == index), None)

    def current_item(self, key: Item) -> Item | None:
        """The item of that key as it stands, if it is the reason."""
        items = (refusal.item for refusal in self.refusals if refusal.item)
        return next((item for item in items if all(item[name] == value for name, value in key.items())), None)


def commit(
    dynamodb: "DynamoDBClient", actions: "Sequence[TransactWriteItemTypeDef]", mark: bytes | None = None
) -> None:
    """Write all actions or none; a single update or put goes alone, at half a transaction's price.

    A write whose response was lost or was an error of DynamoDB's own counts as written if it was.

    Raises:
        Cancelled: a condition did not hold, or another writer or an outage was in the way.
        Unavailable: a response was lost, and it cannot be found out whether the write was applied.
    """
    try:
        _write(dynamodb, actions, mark or write_marks.new_mark())
    except ClientError as error:
        raise _cancelled(error) from error


def write_conditionally(dynamodb: "DynamoDBClient", action: "TransactWriteItemTypeDef") -> bool:
    """Make a conditional write of one item, and say whether its condition held."""
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
        # botocore adds a ClientRequestToken, the same in all its repetitions. The token ends after ten minutes, not
        # every emulator knows it, and the single writes below have none: hence the marks.
        dynamodb.transact_write_items(TransactItems=cast("Sequence[TransactWriteItemTypeDef]", actions))
    elif "Update" in actions[0]:
        dynamodb.update_item(**actions[0]["Update"])
    elif "Put" in actions[0]:
        dynamodb.put_item(**actions[0]["Put"])


def _marked(action: "TransactWriteItemTypeDef", mark: bytes) -> dict[str, Any]:
    """The action with the mark, if it has a condition: without one, to repeat it changes nothing."""
    if put := action.get("Put"):
        return {"Put": _marked_put(put, mark) if "ConditionExpression" in put else put}
    if update := action.get("Update"):
        return {"Update": _marked_update(update, mark) if "ConditionExpression" in update else update}
    return {**action}


def _marked_put(put: Item, mark: bytes) -> Item:
    added = write_marks.added(write_marks.stored(put["Item"]), mark)
    return {**put, "Item": {**put["Item"], write_marks.ATTRIBUTE: {"B": added}}}


def _marked_update(update: Item, mark: bytes) -> Item:
    """An update that sets the attribute itself knows the marks of other writers, which stay."""
    name, value = f"#{write_marks.ATTRIBUTE}", f":{write_marks.ATTRIBUTE}"
    names, values = update.get("ExpressionAttributeNames", {}), update.get("ExpressionAttributeValues", {})
    expression = update["UpdateExpression"]
    if value not in values:
        rest = expression.removeprefix("SET ")
        expression = f"SET {name} = {value}{' ' if rest == expression else ', '}{rest}"
    added = write_marks.added(bytes(values.get(value, {"B": b""})["B"]), mark)
    return {
        **update,
        "UpdateExpression": expression,
        "ExpressionAttributeNames": {**names, name: write_marks.ATTRIBUTE},
        "ExpressionAttributeValues": {**values, value: {"B": added}},
    }


def _in_doubt(error: ClientError) -> bool:
    """Whether the write may have been applied.

    botocore may have sent it more than once. After a status of 500, a write "may have succeeded or failed"; botocore
    does not repeat it when its quota of repetitions is used up.
    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html
    """
    sent: Mapping[str, Any] = error.response.get("ResponseMetadata", {})
    failed_inside: bool = sent.get("HTTPStatusCode", 0) >= HTTPStatus.INTERNAL_SERVER_ERROR
    repeated: bool = sent.get("RetryAttempts", 0) > 0
    return failed_inside or repeated


def _applied(dynamodb: "DynamoDBClient", actions: Sequence[dict[str, Any]], mark: bytes) -> bool:
    """Whether the write is in the table.

    The last action with a condition tells: an Idempotency-Key's record, if there is one, which nobody writes over.
    """
    conditional = [write for action in actions for write in action.values() if "ConditionExpression" in write]
    for write in reversed(conditional):
        if "Item" not in write and "UpdateExpression" not in write:
            continue  # a deletion leaves no mark
        key = write.get("Key") or {name: write["Item"][name] for name in ("pk", "sk")}
        return _shows(dynamodb, write["TableName"], key, mark)
    return False


def _shows(dynamodb: "DynamoDBClient", table: str, key: Item, mark: bytes) -> bool:
    """Whether the item has the mark; where that cannot be found out, the write must not be made again."""
    try:
        item = dynamodb.get_item(TableName=table, Key=key, ConsistentRead=True).get("Item", {})
    except ClientError as error:
        raise Unavailable(_UNKNOWN) from error
    shown = write_marks.shows(write_marks.stored(item), mark)
    if shown is None:
        raise Unavailable(_UNKNOWN)
    return shown


def _cancelled(error: ClientError) -> Exception:
    """The error as what it means to a writer; one that no repetition would mend stays as it is."""
    response: Mapping[str, Any] = error.response
    code = response["Error"]["Code"]
    if code == "ConditionalCheckFailedException":
        return Cancelled([Refusal(0, response.get("Item"))])
    if code in _CONFLICTS:
        return Cancelled([])
    if passes(error):
        return Cancelled([], outage=True)
    reasons = response.get("CancellationReasons", [])
    known = _CONFLICTS | THROTTLED | {"None", _REFUSED}
    if code != "TransactionCanceledException" or any(reason.get("Code", "None") not in known for reason in reasons):
        return error
    return Cancelled(
        [Refusal(index, reason.get("Item")) for index, reason in enumerate(reasons) if reason.get("Code") == _REFUSED]
    )
